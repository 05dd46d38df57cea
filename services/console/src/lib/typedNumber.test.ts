import { expect, it } from 'vitest';
import { typedNumber } from './typedNumber';

it('takes a number over when it is one', () => {
  expect(['-', '-9', '-90'].map(typedNumber)).toEqual([null, -9, -90]);
  expect(['-0', '-0.', '-0.5'].map(typedNumber)).toEqual([null, null, -0.5]);
  expect([7, '0', '1.', '1.50'].map(typedNumber)).toEqual([7, 0, 1, 1.5]);
  expect(['', 'NaN', '1e999'].map(typedNumber)).toEqual([undefined, null, null]);
});
