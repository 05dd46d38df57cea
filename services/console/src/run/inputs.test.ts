import { describe, expect, it } from 'vitest';
import type { Json, NodeDefinition } from '~/api/types';
import { defaultValue, missing } from './inputs';

const parameter = (config: Record<string, Json>): NodeDefinition => ({
  id: 'p',
  type: 'parameter_input',
  config,
});
const lacks = (config: Record<string, Json>) => missing(parameter(config), defaultValue(parameter(config)));

describe('an input', () => {
  it('is missing until it is given, unless it need not be', () => {
    expect(lacks({ kind: 'integer' })).toBe(true);
    expect(lacks({ kind: 'integer', default: 1 })).toBe(false);
    expect(lacks({ kind: 'integer', required: false })).toBe(false);
    expect(lacks({ kind: 'boolean', enum: [true] })).toBe(true);
  });

  it('that is a switch is what the switch shows', () => {
    expect(defaultValue(parameter({ kind: 'boolean' }))).toEqual({ kind: 'value', value: false });
    expect(lacks({ kind: 'boolean' })).toBe(false);
    const open = { kind: 'value', value: undefined };
    expect(defaultValue(parameter({ kind: 'boolean', default: true }))).toEqual(open);
    expect(defaultValue(parameter({ kind: 'boolean', required: false }))).toEqual(open);
  });
});
