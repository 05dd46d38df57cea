import { request } from '~/api/request';
import type { Json, Schedule, ScheduleRequest } from '~/api/types';

/** What has to be sent for a schedule to stay as it is: what a change leaves out takes its default again. */
function requestOf(schedule: Schedule): ScheduleRequest {
  const { cron, timezone, overlap, version, enabled, jitter_ms, priority, pool, timeout_ms, callback_url } =
    schedule;
  const labels = schedule.labels as Record<string, string>;
  const input = inputOf(schedule);
  return {
    cron,
    timezone,
    overlap,
    input,
    version,
    enabled,
    jitter_ms,
    priority,
    pool,
    labels,
    timeout_ms,
    callback_url,
  };
}

/** What its runs are given, by input node. */
export function inputOf(schedule: Schedule): { [node: string]: Json } {
  return schedule.input as { [node: string]: Json };
}

/** Changes some of a schedule, unless somebody else has changed it meanwhile. */
export function replaceSchedule(
  schedule: Schedule,
  change: Partial<ScheduleRequest>,
  signal?: AbortSignal,
): Promise<Schedule> {
  return request<Schedule>(`/schedules/${schedule.id}`, {
    method: 'PUT',
    body: { ...requestOf(schedule), ...change },
    headers: { 'if-match': `"${schedule.revision}"` },
    signal,
  });
}
