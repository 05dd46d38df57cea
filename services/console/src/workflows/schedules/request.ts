import type { Schedule, ScheduleRequest } from '~/api/types';

/** What has to be sent for a schedule to stay as it is: what a change leaves out takes its default again. */
export function requestOf(schedule: Schedule): ScheduleRequest {
  const { cron, timezone, overlap, input, version, enabled, jitter_ms, priority, pool, timeout_ms } =
    schedule;
  const labels = schedule.labels as Record<string, string>;
  return { cron, timezone, overlap, input, version, enabled, jitter_ms, priority, pool, labels, timeout_ms };
}
