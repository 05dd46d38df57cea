import { expect, it } from 'vitest';
import type { Execution } from '~/api/types';
import { callbackFacts, factsOf } from './facts';

const run: Execution = {
  execution_id: 'one',
  status: 'completed',
  progress: { total: 2, completed: 2, failed: 0, skipped: 0, running: 0 },
  node_metrics: {},
  epoch: 1,
  links: { self: '', events: '', nodes: '', cancel: '', rerun: '' },
  inference_jobs_pending: 0,
  inference_jobs_completed: 0,
  inference_jobs_failed: 0,
};

it('has what is known of the run, and leaves out the rest', () => {
  expect(factsOf(run)).toEqual([['Inference jobs', '0 done']]);
  const whole = factsOf({
    ...run,
    priority: 'high',
    pool: 'cpu',
    cost: 0,
    duration_ms: 1_500,
    inference_jobs_pending: 1,
    inference_jobs_completed: 1_200,
    inference_jobs_failed: 3,
  });
  expect(whole).toEqual([
    ['Priority', 'high'],
    ['Pool', 'cpu'],
    ['Inference jobs', '1\u202f200 done, 3 failed, 1 to come'],
    ['Cost', '0'],
    ['Took, from acceptance', '1.50 s'],
  ]);
});

it('says what came of the call-back', () => {
  expect(callbackFacts(run)).toEqual([]);
  const callback = { url: 'https://shop.example/done', status: 'pending' } as const;
  expect(callbackFacts({ ...run, callback })).toEqual([
    ['Address', 'https://shop.example/done'],
    ['Outcome', 'not told yet'],
  ]);
  const failed = { ...callback, status: 'failed' as const, attempts: 10, error: 'answered 500', at: 0 };
  const facts = callbackFacts({ ...run, callback: failed });
  expect(facts.map(([name]) => name)).toEqual(['Address', 'Outcome', 'Sent', 'Given up', 'Reason']);
  expect(facts).toContainEqual(['Sent', '10 times']);
  expect(callbackFacts({ ...run, callback: { ...failed, attempts: 1 } })).toContainEqual(['Sent', 'once']);
  expect(facts).toContainEqual(['Reason', 'answered 500']);
});
