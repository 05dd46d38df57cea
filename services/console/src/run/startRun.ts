import { request } from '~/api/request';
import type { Definition, JsonObject, RunAccepted } from '~/api/types';
import type { SubmissionKeys } from '~/lib/submissionKeys';

/** What is to run. */
export interface Runnable {
  definition: Definition;
  /** The version that it is, if it is one. */
  saved: { id: string; version: number } | null;
}

/**
 * Starts what is on the canvas: as the version that it is, else as it stands. The version is named, for somebody else may have saved
 * another since this page read it. Sent again after an answer that was lost, it gives the run that has begun.
 */
export async function startRun(
  { definition, saved }: Runnable,
  given: JsonObject,
  keys: SubmissionKeys,
): Promise<RunAccepted> {
  const [path, body] = saved
    ? [`/workflows/${saved.id}/run?version=${saved.version}`, given]
    : ['/executions', { ...given, workflow: definition }];
  const headers = { 'idempotency-key': keys.keyOf([path, body]) };
  const run = await request<RunAccepted>(path, { method: 'POST', body, headers });
  keys.answered();
  return run;
}
