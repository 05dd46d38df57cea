import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { LONG_QUIET_MS, lookWhileQuiet, QUIET_MS } from './quiet';
import { createLiveStore, type LiveStore } from './store';

let store: LiveStore;
let looks: number[];
let inDoubt: boolean;
let stop: () => void;

beforeEach(() => {
  vi.useFakeTimers({ now: 0 });
  store = createLiveStore('run-1');
  [looks, inDoubt] = [[], false];
  stop = lookWhileQuiet(store, { look: () => looks.push(Date.now()), isInDoubt: () => inDoubt });
});
afterEach(() => {
  stop();
  vi.restoreAllMocks();
  vi.useRealTimers();
});

const happen = () => store.setState(({ run }) => ({ run: { ...run, seq: run.seq + 1 } }));
/** Something happens every second. */
async function busy(seconds: number): Promise<void> {
  for (let at = 0; at < seconds; at += 1) {
    await vi.advanceTimersByTimeAsync(1_000);
    happen();
  }
}

it('looks ever more seldom while nothing happens', async () => {
  await vi.advanceTimersByTimeAsync(92_000);
  expect(looks).toEqual([2_000, 6_000, 14_000, 30_000, 60_000, 90_000]);
  expect(LONG_QUIET_MS).toBe(30_000);
});

it('does not look while events come, and soon after the last of them', async () => {
  await busy(60);
  expect(looks).toEqual([]);
  await vi.advanceTimersByTimeAsync(QUIET_MS);
  expect(looks).toEqual([60_000 + QUIET_MS]);
});

it('looks again soon after an event where it is in doubt, however many follow', async () => {
  await vi.advanceTimersByTimeAsync(59_000);
  inDoubt = true;
  looks = [];
  await busy(5);
  expect(looks[0]).toBe(60_000);
  expect(looks.length).toBeGreaterThan(1);
  expect(looks.length).toBeLessThan(4);
});

it('does not mind that the connection changes, or that nobody looks at the page', async () => {
  store.setState({ connection: 'lost' });
  vi.spyOn(document, 'hidden', 'get').mockReturnValue(true);
  await vi.advanceTimersByTimeAsync(14_500);
  expect(looks).toEqual([2_000, 6_000, 14_000]);
});

it('stops', async () => {
  stop();
  happen();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(looks).toEqual([]);
  expect(vi.getTimerCount()).toBe(0);
});
