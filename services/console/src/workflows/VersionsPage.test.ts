import { MantineProvider } from '@mantine/core';
import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { act, createElement as make } from 'react';
import { createRoot, type Root } from 'react-dom/client';
import { createMemoryRouter, RouterProvider } from 'react-router';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Component } from './VersionsPage';

let root: Root;
/** Versions that cannot be read at the moment. */
let broken: Set<string>;

beforeEach(() => {
  vi.stubGlobal('IS_REACT_ACT_ENVIRONMENT', true);
  vi.stubGlobal('matchMedia', () => ({ addEventListener: vi.fn(), removeEventListener: vi.fn() }));
  vi.stubGlobal(
    'ResizeObserver',
    class {
      observe(): void {}
      unobserve(): void {}
      disconnect(): void {}
    },
  );
  broken = new Set();
  vi.stubGlobal('fetch', async (address: string) => {
    const [, version] = /versions\/(\d+)$/.exec(address) ?? [];
    if (version !== undefined && broken.has(version))
      return new Response(JSON.stringify({ status: 500, title: 'It broke', detail: 'no' }), { status: 500 });
    const versions = [4, 3, 2, 1].map(number => ({ version: number, created_at: number }));
    const definition = { name: `number ${version}`, nodes: [] };
    return new Response(JSON.stringify({ versions, version, name: 'w', scope: 'admin', definition }));
  });
  root = createRoot(document.body);
});
afterEach(async () => {
  await act(() => root.unmount());
  vi.unstubAllGlobals();
});

async function open(query = ''): Promise<void> {
  const router = createMemoryRouter([{ path: '/workflows/:id/versions', Component }], {
    initialEntries: [`/workflows/w/versions${query}`],
  });
  const client = new QueryClient({ defaultOptions: { queries: { retry: false } } });
  await act(async () =>
    root.render(
      make(
        MantineProvider,
        { env: 'test' },
        make(QueryClientProvider, { client }, make(RouterProvider, { router })),
      ),
    ),
  );
  await shows('From v');
}

const shows = (text: string) =>
  act(() => vi.waitFor(() => expect(document.body.textContent).toContain(text), 20_000));
const tick = (version: number) =>
  act(async () =>
    document.querySelector<HTMLElement>(`input[aria-label="Compare version ${version}"]`)?.click(),
  );

describe('the versions of a workflow', { timeout: 60_000 }, () => {
  it('are compared two by two, whichever they are', async () => {
    await open();
    await shows('From v3 to v4');
    await tick(2);
    await shows('From v2 to v4');
    await tick(1);
    await shows('From v1 to v2');
    await tick(2);
    await shows('Choose two versions');
    expect(document.body.textContent).not.toContain('From v');
    await tick(3);
    await shows('From v1 to v3');
  });

  it('are compared as the address asks', async () => {
    await open('?from=1&to=3');
    await shows('From v1 to v3');
  });

  it('say that one could not be read, and are read again', async () => {
    broken.add('3');
    await open();
    await shows('It broke');
    broken.clear();
    const again = [...document.querySelectorAll('button')].find(one => one.textContent === 'Try again');
    await act(async () => again?.click());
    await act(() => vi.waitFor(() => expect(document.body.textContent).not.toContain('It broke'), 20_000));
  });
});
