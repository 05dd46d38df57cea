import { describe, expect, it } from 'vitest';
import type { Block } from '~/api/types';
import { policiesOf } from './policies';

const block = (type: string, category: string, by: string, pure = true) =>
  ({ type, category, runs: { by }, pure }) as Block;

describe('policiesOf', () => {
  it('offers what the compiler takes', () => {
    const job = ['on_error', 'timeout_ms', 'retry', 'priority', 'pool', 'cache'];
    expect(policiesOf(block('detection', 'model', 'worker'))).toEqual(job);
    // Its attempts are a setting of its own, and what it gives is never reused.
    const webhook = ['on_error', 'timeout_ms', 'priority', 'pool'];
    expect(policiesOf(block('webhook', 'output', 'worker', false))).toEqual(webhook);
    const aggregation = ['on_error', 'timeout_ms', 'retry', 'priority', 'pool'];
    expect(policiesOf(block('aggregation', 'output', 'worker', false))).toEqual(aggregation);
    expect(policiesOf(block('condition', 'logic', 'orchestrator'))).toEqual(['on_error']);
    expect(policiesOf(block('delay', 'logic', 'orchestrator', false))).toEqual(['on_error', 'timeout_ms']);
    // Both only stand for what is inside them.
    expect(policiesOf(block('for_each', 'logic', 'orchestrator'))).toEqual(['on_error']);
    const call = ['on_error', 'priority', 'pool', 'cache'];
    expect(policiesOf(block('sub_workflow', 'logic', 'orchestrator'))).toEqual(call);
    expect(policiesOf(block('json_output', 'output', 'output'))).toEqual([]);
    expect(policiesOf(block('image_input', 'input', 'input'))).toEqual([]);
  });
});
