import { describe, expect, it } from 'vitest';
import type { Block, NodeDefinition } from '~/api/types';
import { policiesOf } from './policies';

const block = (type: string, by: string, pure = true) => ({ type, runs: { by }, pure }) as Block;
/** The policies of a node of this block, with these fields. */
const of = (type: string, by: string, { pure = true, ...fields }: Record<string, unknown> = {}) =>
  policiesOf(block(type, by, pure === true), { id: 'a', type, ...fields } as NodeDefinition);

describe('policiesOf', () => {
  it('offers what the compiler takes', () => {
    const job = ['on_error', 'timeout_ms', 'retry', 'priority', 'pool', 'cache'];
    expect(of('detection', 'worker')).toEqual(job);
    // Its attempts are a setting of its own, and what it gives is never reused.
    const webhook = ['on_error', 'timeout_ms', 'priority', 'pool'];
    expect(of('webhook', 'worker', { pure: false })).toEqual(webhook);
    const aggregation = ['on_error', 'timeout_ms', 'retry', 'priority', 'pool'];
    expect(of('aggregation', 'worker', { pure: false })).toEqual(aggregation);
    expect(of('condition', 'orchestrator')).toEqual(['on_error']);
    expect(of('delay', 'orchestrator', { pure: false })).toEqual(['on_error', 'timeout_ms']);
    // Both only stand for what is inside them.
    expect(of('for_each', 'orchestrator')).toEqual(['on_error']);
    expect(of('sub_workflow', 'orchestrator')).toEqual(['on_error', 'priority', 'pool', 'cache']);
    expect(of('json_output', 'output')).toEqual([]);
    expect(of('api_response', 'output')).toEqual(['on_error']);
  });

  it('offers a fetch what holds for it', () => {
    const fetched = ['on_error', 'timeout_ms', 'retry', 'priority'];
    expect(of('image_input', 'input')).toEqual(fetched);
    expect(of('parameter_input', 'input', { config: { kind: 'list<image>' } })).toEqual(fetched);
    expect(of('parameter_input', 'input', { config: { kind: 'list<float>' } })).toEqual([]);
    expect(of('parameter_input', 'input')).toEqual([]);
  });

  it('shows what is set, whatever comes of it', () => {
    const retry = { max_attempts: 5, on: ['NETWORK'] };
    expect(of('webhook', 'worker', { pure: false, retry })).toContain('retry');
    expect(of('json_output', 'output', { pool: 'heavy' })).toEqual(['pool']);
    expect(of('image_input', 'input', { pool: 'heavy' })).toContain('pool');
  });
});
