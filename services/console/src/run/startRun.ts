import { request } from '~/api/request';
import type { Definition, JsonObject, RunAccepted } from '~/api/types';

/** What is to run. */
export interface Runnable {
  definition: Definition;
  /** The version that it is, if it is one. */
  saved: { id: string; version: number } | null;
}

/**
 * Starts what is on the canvas: as the version that it is, else as it stands. The version is named, for somebody else may have saved
 * another since this page read it.
 */
export function startRun({ definition, saved }: Runnable, body: JsonObject): Promise<RunAccepted> {
  return saved
    ? request<RunAccepted>(`/workflows/${saved.id}/run?version=${saved.version}`, { method: 'POST', body })
    : request<RunAccepted>('/executions', { method: 'POST', body: { ...body, workflow: definition } });
}
