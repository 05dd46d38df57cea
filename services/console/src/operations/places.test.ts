import { expect, it } from 'vitest';
import { inHand, waitingNote } from './places';

it('says what is in hand, also where it is more than runs at once', () => {
  expect([inHand(3, 16), inHand(16, 16), inHand(58, 16), inHand(null, null)]).toEqual([
    '3 of 16',
    '16 of 16',
    '58 (16 at once)',
    '– of –',
  ]);
});

it('says of what waits that nobody can tell only where the queues are away', () => {
  expect(waitingNote(null, 0)).toBe('the queues are away');
  expect(waitingNote(0, 0)).toBe('nobody waits');
  expect(waitingNote(3, 2_500)).toBe('the oldest for 2.50 s');
});
