import { expect, it } from 'vitest';
import { inHand } from './places';

it('says what is in hand, also where it is more than runs at once', () => {
  expect([inHand(3, 16), inHand(16, 16), inHand(58, 16), inHand(null, null)]).toEqual([
    '3 of 16',
    '16 of 16',
    '58 (16 at once)',
    '– of –',
  ]);
});
