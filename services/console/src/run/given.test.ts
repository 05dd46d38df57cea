import { expect, it } from 'vitest';
import { givenBefore, keepGiven, moveGiven } from './given';
import type { InputValue } from './inputs';

const photo = { id: 'photo', type: 'image_input' };
const count = { id: 'count', type: 'parameter_input', config: { kind: 'integer' } };
const nodes = [photo, count];
const values = new Map<string, InputValue>([
  ['photo', { kind: 'pictures', pictures: [{ id: '1', name: 'a.png', file: new Blob(['x']) }] }],
  ['count', { kind: 'value', value: 3 }],
]);

it('gives the next try what the one before was given, wherever the workflow is edited by then', () => {
  keepGiven({ place: 'new', nodes, values });
  expect(givenBefore('new', nodes)).toEqual(values);
  moveGiven('new', 'saved');
  moveGiven('new', 'another');
  expect(givenBefore('saved', nodes)).toEqual(values);
  expect(givenBefore('new', nodes).size).toBe(0);
});

it('gives nothing to a node that asks for something else', () => {
  keepGiven({ place: 'w', nodes, values });
  const text = { ...count, config: { kind: 'string' } };
  expect([...givenBefore('w', [photo, text]).keys()]).toEqual(['photo']);
  expect([...givenBefore('w', [{ ...count, id: 'photo' }]).keys()]).toEqual([]);
});
