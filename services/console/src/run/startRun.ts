import { request } from '~/api/request';
import type { Definition, JsonObject, RunAccepted, WorkflowRecord } from '~/api/types';

/** What is to run. */
export interface Runnable {
  definition: Definition;
  /** The version that it is, where it is the newest as far as this page knows. */
  saved: { id: string; version: number } | null;
}

/** Starts what is on the canvas: as a version of its workflow where it is the newest of it, else as it is. */
export async function startRun({ definition, saved }: Runnable, body: JsonObject): Promise<RunAccepted> {
  if (saved && (await isNewest(saved)))
    return request<RunAccepted>(`/workflows/${saved.id}/run`, { method: 'POST', body });
  return request<RunAccepted>('/executions', { method: 'POST', body: { ...body, workflow: definition } });
}

/** A saved workflow runs at its newest version, and somebody may have saved another since this page read it. */
async function isNewest({ id, version }: { id: string; version: number }): Promise<boolean> {
  return (await request<WorkflowRecord>(`/workflows/${id}`)).version === version;
}
