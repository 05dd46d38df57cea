import { act, createElement } from 'react';
import { createRoot } from 'react-dom/client';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { useDebouncedFields } from './useDebouncedFields';

const seen: string[] = [];
function Shown({ label }: { label: string }) {
  seen.push(useDebouncedFields({ label, status: undefined }, 250).label);
  return null;
}

beforeEach(() => {
  vi.stubGlobal('IS_REACT_ACT_ENVIRONMENT', true);
  vi.useFakeTimers();
  seen.length = 0;
});
afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

it('draws nothing anew while nothing changes', async () => {
  const root = createRoot(document.createElement('div'));
  const show = (label: string) => act(() => root.render(createElement(Shown, { label })));
  const wait = (ms: number) => act(() => vi.advanceTimersByTimeAsync(ms));
  await show('a');
  await show('ab');
  await show('abc');
  expect(seen).toEqual(['a', 'a', 'a']);
  for (let second = 0; second < 10; second += 1) await wait(1_000);
  expect(seen).toEqual(['a', 'a', 'a', 'abc']);
  await act(() => root.unmount());
});
