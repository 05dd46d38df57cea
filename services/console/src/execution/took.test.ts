import { expect, it } from 'vitest';
import type { NodeRun } from '~/api/types';
import { tookMs } from './took';

const run = (times: Partial<NodeRun>): NodeRun => ({
  node_id: 'a',
  block: 'b',
  status: 'completed',
  attempt: 1,
  ...times,
});

it('counts from the queue where there was one, to the end', () => {
  expect(tookMs(run({ queued_at: 0, started_at: 14, completed_at: 64 }))).toBe(64);
  expect(tookMs(run({ started_at: 14, completed_at: 64 }))).toBe(50);
  expect(tookMs(run({ queued_at: 10, started_at: 14 }))).toBeNull();
  expect(tookMs(run({ completed_at: 64 }))).toBeNull();
});
