import { describe as about, expect, it } from 'vitest';
import type { EventEnvelope } from '~/api/types';
import { describe, levelOf, logLine, matches } from './describe';

function event(type: string, data: object, extra: Partial<EventEnvelope> = {}): EventEnvelope {
  return {
    specversion: '1.0',
    id: '1',
    type: `millrace.workflow.${type}`,
    time: '2026-01-01T00:00:01.000Z',
    source: '/millrace/orchestrator',
    data: data as EventEnvelope['data'],
    ...extra,
  };
}

const failed = event(
  'node.failed',
  {
    error: { kind: 'MODEL_NOT_FOUND', message: 'there is no model nope', retryable: false },
    worker_id: 'worker-0123456789',
  },
  { nodeid: 'detect', path: '[3]', attempt: 2 },
);

about('the lines of a run', () => {
  it('say the kind and the cause of a failure, who had it, and which attempt it was', () => {
    expect(describe(failed)).toBe('MODEL_NOT_FOUND: there is no model nope · worker 23456789 · attempt 2');
    expect(logLine(failed)).toBe(
      '2026-01-01T00:00:01.000Z error node.failed detect[3] MODEL_NOT_FOUND: there is no model nope · worker 23456789 · attempt 2\n',
    );
  });

  it('say where the time went', () => {
    const metrics = { cached: false, queue_wait_ms: 12, model_load_time_ms: 0, total_time_ms: 40 };
    const done = event('node.completed', { metrics, outputs: { count: 3 } }, { nodeid: 'detect' });
    expect(describe(done)).toBe('waited 12 ms, worked 40 ms · count 3');
    expect(describe(event('node.completed', { metrics: { ...metrics, cached: true } }))).toBe('reused');
  });

  it('have a level by what happened', () => {
    const levels = ['started', 'node.completed', 'node.retrying', 'cancelled', 'failed'].map(type =>
      levelOf(event(type, {})),
    );
    expect(levels).toEqual(['info', 'info', 'warn', 'warn', 'error']);
  });

  it('are found by all of the words', () => {
    expect(matches(failed, 'detect[3] model_not_found')).toBe(true);
    expect(matches(failed, 'detect reused')).toBe(false);
  });
});
