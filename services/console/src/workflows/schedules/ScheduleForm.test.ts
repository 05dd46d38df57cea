import { MantineProvider } from '@mantine/core';
import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { act, createElement as make } from 'react';
import { createRoot, type Root } from 'react-dom/client';
import { createMemoryRouter, RouterProvider } from 'react-router';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { Schedule } from '~/api/types';
import { ScheduleForm } from './ScheduleForm';

// The sample pictures lie outside the console, where only the build may read.
vi.mock('~/run/samples', () => ({ SAMPLES: [] }));

class Unseen {
  observe(): void {}
  unobserve(): void {}
  disconnect(): void {}
}

const record = {
  id: 'w',
  version: 1,
  name: 'w',
  definition: { name: 'w', nodes: [{ id: 'photos', type: 'image_input' }] },
};
const schedule = {
  id: 's',
  workflow_id: 'w',
  revision: 1,
  cron: '@daily',
  timezone: 'UTC',
  overlap: 'skip',
  input: { photos: 'https://x/a.jpg' },
  labels: {},
} as unknown as Schedule;

let root: Root;
/** What the server says of the inputs. */
let validation: Response;
let stored: unknown[];

beforeEach(() => {
  vi.stubGlobal('IS_REACT_ACT_ENVIRONMENT', true);
  vi.stubGlobal('ResizeObserver', Unseen);
  vi.stubGlobal('matchMedia', () => ({ addEventListener: vi.fn(), removeEventListener: vi.fn() }));
  stored = [];
  vi.stubGlobal('fetch', async (address: string, { method, body }: RequestInit) => {
    if (address.endsWith('/validate')) return validation;
    if (method === 'PUT') stored.push(JSON.parse(String(body)));
    return new Response(JSON.stringify(address.endsWith('/session') ? { scope: 'admin' } : record));
  });
  root = createRoot(document.body);
});
afterEach(async () => {
  await act(() => root.unmount());
  vi.unstubAllGlobals();
});

async function save(): Promise<void> {
  const form = make(ScheduleForm, { workflow: 'w', schedule, onClose: () => {} });
  const router = createMemoryRouter([{ path: '/', element: form }]);
  const client = new QueryClient();
  await act(async () =>
    root.render(
      make(
        MantineProvider,
        { env: 'test' },
        make(QueryClientProvider, { client }, make(RouterProvider, { router })),
      ),
    ),
  );
  const shown = () => expect(document.querySelector('[data-pictures]')).not.toBeNull();
  await act(() => vi.waitFor(shown, 20_000));
  await act(async () => document.querySelector<HTMLFormElement>('form')?.requestSubmit());
  await act(() => vi.waitFor(() => expect(stored).toHaveLength(1), 20_000));
}

it(
  'gives an input several pictures where what is done with it asks for them',
  { timeout: 60_000 },
  async () => {
    const photos = { name: 'photos', block: 'image_input@1', kind: 'list<image>', required: true };
    validation = new Response(JSON.stringify({ valid: true, inputs: [photos], warnings: [] }));
    await save();
    expect(stored[0]).toMatchObject({ input: { photos: ['https://x/a.jpg'] } });
  },
);

it('goes by the settings where the workflow no longer compiles', { timeout: 60_000 }, async () => {
  validation = new Response(JSON.stringify({ status: 422, title: 'x', detail: 'y' }), { status: 422 });
  await save();
  expect(stored[0]).toMatchObject({ input: { photos: 'https://x/a.jpg' } });
});
