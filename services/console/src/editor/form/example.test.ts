import { expect, it } from 'vitest';
import type { Block } from '~/api/types';
import { asIn, exampleOf } from './example';

const block = {
  examples: [
    { title: '', node: { id: 'a', type: 'crop' } },
    { title: '', node: { id: 'b', type: 'crop', config: { region: [0, 0, 0.5, 1], padding: null } } },
  ],
} as unknown as Block;

it('is taken from the first example of the block that has the setting', () => {
  const region = { type: ['array', 'null'], items: { type: 'number' }, minItems: 4 };
  expect(exampleOf(block, ['config', 'region'], region)).toEqual([0, 0, 0.5, 1]);
  expect(exampleOf(undefined, ['config', 'region'], region)).toEqual([0, 0, 0, 0]);
  expect(asIn([0, 0, 0.5, 1])).toBe('as in [0,0,0.5,1]');
});

it('follows from the schema where no example has it', () => {
  const sample = (schema: object) => exampleOf(block, ['config', 'padding'], schema);
  const colour = { type: ['integer', 'array', 'string'], pattern: '^#[0-9a-fA-F]{6}$' };
  expect(sample({ type: ['array', 'null'], items: colour, minItems: 1 })).toEqual(['#ff8800']);
  const point = { type: 'array', items: { type: 'number' }, minItems: 2 };
  expect(sample({ type: 'array', items: point, minItems: 3 })).toEqual([
    [0, 0],
    [0, 0],
    [0, 0],
  ]);
});

it('is none where nothing is known of the form', () => {
  const sample = (schema: object) => exampleOf(block, ['config', 'constructor'], schema);
  for (const schema of [{}, { type: 'array', items: true }, { type: 'string', pattern: '^auto$' }])
    expect(sample(schema)).toBeUndefined();
});
