import { act, createElement } from 'react';
import { createRoot } from 'react-dom/client';
import { afterEach, expect, it, vi } from 'vitest';
import { RelativeTime } from './RelativeTime';

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

it('says how long ago it is, also where no time was shown for long', async () => {
  vi.stubGlobal('IS_REACT_ACT_ENVIRONMENT', true);
  vi.useFakeTimers({ now: Date.now() + 3_600_000 });
  const at = Date.now() - 40.5 * 60_000;
  const place = document.createElement('div');
  const root = createRoot(place);
  await act(() => root.render(createElement(RelativeTime, { at })));
  expect(place.textContent).toBe('40 min ago');
  await act(() => vi.advanceTimersByTimeAsync(60_000));
  expect(place.textContent).toBe('41 min ago');
  await act(() => root.unmount());
});
