import { MantineProvider } from '@mantine/core';
import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { act, createElement as make } from 'react';
import { createRoot, type Root } from 'react-dom/client';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { PortValue } from './PortValue';

let root: Root;
beforeEach(() => {
  vi.stubGlobal('IS_REACT_ACT_ENVIRONMENT', true);
  vi.stubGlobal('matchMedia', () => ({ addEventListener: vi.fn(), removeEventListener: vi.fn() }));
  root = createRoot(document.body);
});
afterEach(async () => {
  await act(() => root.unmount());
  vi.unstubAllGlobals();
});

/** Until it says `text`; what is drawn on the way is drawn between the looks. */
const says = (text: string) =>
  vi.waitFor(async () => {
    await act(() => Promise.resolve());
    expect(document.body.textContent).toContain(text);
  }, 20_000);

it('says of a large value that it cannot be read, and reads it once more', async () => {
  const gone = {
    title: 'Gone',
    status: 410,
    detail: 'The blob was deleted.',
    code: 'GONE',
    retryable: false,
  };
  const answers = [new Response(JSON.stringify(gone), { status: 410 }), new Response('"the whole text"')];
  vi.stubGlobal('fetch', async () => answers.shift());
  const client = new QueryClient({ defaultOptions: { queries: { retry: false } } });
  const value = make(PortValue, { name: 'text', value: { $value: 'ab'.repeat(32) } });
  await act(() =>
    root.render(make(MantineProvider, { env: 'test' }, make(QueryClientProvider, { client }, value))),
  );
  await says('The blob was deleted.');
  await act(() => document.querySelector<HTMLButtonElement>('[role=alert] button')?.click());
  await says('the whole text');
}, 60_000);
