import { MantineProvider } from '@mantine/core';
import { QueryClient, QueryClientProvider, useInfiniteQuery } from '@tanstack/react-query';
import { act, createElement as make } from 'react';
import { createRoot, type Root } from 'react-dom/client';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { goesOn } from '~/lib/newestPages';
import { OlderPages } from './OlderPages';

let root: Root;
/** The pages that were asked for. */
let asked: number[];

const queryKey = ['list'];
function List() {
  const list = useInfiniteQuery({
    queryKey,
    queryFn: ({ pageParam }) => {
      asked.push(pageParam);
      return { rows: [pageParam], next: pageParam + 1 };
    },
    initialPageParam: 0,
    getNextPageParam: page => page.next,
    ...goesOn(1_000),
  });
  return make(OlderPages, { label: 'Older', queryKey, list });
}

beforeEach(async () => {
  vi.stubGlobal('IS_REACT_ACT_ENVIRONMENT', true);
  vi.stubGlobal('matchMedia', () => ({ addEventListener: vi.fn(), removeEventListener: vi.fn() }));
  vi.useFakeTimers();
  asked = [];
  root = createRoot(document.body);
  await act(() =>
    root.render(
      make(
        MantineProvider,
        { env: 'test' },
        make(QueryClientProvider, { client: new QueryClient() }, make(List)),
      ),
    ),
  );
  await wait(0);
});
afterEach(async () => {
  await act(() => root.unmount());
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

const wait = (ms: number) => act(() => vi.advanceTimersByTimeAsync(ms));
async function press(name: string): Promise<void> {
  const button = [...document.querySelectorAll('button')].find(one => one.textContent === name);
  await act(async () => button?.click());
  await wait(0);
}

it('goes on while the newest page is shown alone, and says so where it stands still', async () => {
  await wait(2_000);
  expect(asked).toEqual([0, 0, 0]);
  await press('Older');
  await press('Older');
  asked = [];
  expect(document.body.textContent).toContain('stands still');
  await wait(60_000);
  await act(async () => void document.dispatchEvent(new Event('visibilitychange')));
  await wait(60_000);
  expect(asked).toEqual([]);
  await press('Back to the newest');
  expect(asked).toEqual([0]);
  expect(document.body.textContent).not.toContain('stands still');
  await wait(1_000);
  expect(asked).toEqual([0, 0]);
});
