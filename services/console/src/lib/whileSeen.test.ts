import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { HIDDEN_MS, whileSeen } from './whileSeen';

const [open, close] = [vi.fn(), vi.fn()];
let stop: () => void;

beforeEach(() => {
  vi.useFakeTimers();
  [open, close].forEach(mock => mock.mockReset());
});
afterEach(() => {
  stop();
  vi.restoreAllMocks();
  vi.useRealTimers();
});

function hide(hidden: boolean): void {
  vi.spyOn(document, 'hidden', 'get').mockReturnValue(hidden);
  document.dispatchEvent(new Event('visibilitychange'));
}
const counts = () => [open.mock.calls.length, close.mock.calls.length];

it('closes what nobody sees, after a while, and opens it when it is seen', async () => {
  stop = whileSeen({ open, close });
  expect(counts()).toEqual([1, 0]);
  hide(true);
  await vi.advanceTimersByTimeAsync(HIDDEN_MS - 1);
  hide(false);
  await vi.advanceTimersByTimeAsync(HIDDEN_MS);
  expect(counts()).toEqual([1, 0]);
  hide(true);
  await vi.advanceTimersByTimeAsync(HIDDEN_MS);
  expect(counts()).toEqual([1, 1]);
  hide(false);
  expect(counts()).toEqual([2, 1]);
});

it('opens nothing on a page that was opened behind another, nor after it was stopped', () => {
  vi.spyOn(document, 'hidden', 'get').mockReturnValue(true);
  stop = whileSeen({ open, close });
  expect(counts()).toEqual([0, 0]);
  hide(false);
  expect(counts()).toEqual([1, 0]);
  hide(true);
  stop();
  expect(vi.getTimerCount()).toBe(0);
  hide(false);
  expect(counts()).toEqual([1, 0]);
});
