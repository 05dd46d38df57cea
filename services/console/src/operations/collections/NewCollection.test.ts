import { MantineProvider } from '@mantine/core';
import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { act, createElement as make } from 'react';
import { createRoot, type Root } from 'react-dom/client';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { NewCollection } from './NewCollection';

class Unseen {
  observe(): void {}
  unobserve(): void {}
  disconnect(): void {}
}

const model = (model_id: string, embedding_dimension: number | null) => ({
  model_id,
  embedding_dimension,
  workers: [],
});

let root: Root;
let sent: unknown[];
let models: object[];

beforeEach(() => {
  vi.stubGlobal('IS_REACT_ACT_ENVIRONMENT', true);
  vi.stubGlobal('ResizeObserver', Unseen);
  vi.stubGlobal('matchMedia', () => ({ addEventListener: vi.fn(), removeEventListener: vi.fn() }));
  Element.prototype.scrollIntoView = () => {};
  sent = [];
  vi.stubGlobal('fetch', async (_: string, { method, body }: RequestInit) => {
    if (method === 'POST') sent.push(JSON.parse(String(body)));
    return new Response(JSON.stringify(method === 'POST' ? {} : { models }));
  });
});
afterEach(async () => {
  await act(() => root.unmount());
  vi.unstubAllGlobals();
});

const form = () => document.querySelector('form');
const field = (label: string) =>
  [...document.querySelectorAll<HTMLInputElement>('input')].find(input =>
    input.labels?.[0]?.textContent?.startsWith(label),
  );
/** What a hand does to a field that React watches. */
const type = (label: string, text: string) =>
  act(async () => {
    const input = field(label);
    Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value')?.set?.call(input, text);
    input?.dispatchEvent(new Event('input', { bubbles: true }));
  });

async function open(): Promise<void> {
  const client = new QueryClient({ defaultOptions: { queries: { retry: false } } });
  const dialog = make(QueryClientProvider, { client }, make(NewCollection, { onClose: vi.fn() }));
  root = createRoot(document.body);
  await act(() => root.render(make(MantineProvider, { env: 'test' }, dialog)));
  await act(() => vi.waitFor(() => expect(client.isFetching()).toBe(0), 20_000));
}

it('takes its dimensions from a model that embeds, until others are given', { timeout: 60_000 }, async () => {
  models = [model('detector', null), model('encoder', 384)];
  await open();
  await act(async () => field('For the vectors of')?.click());
  const options = () => [...document.querySelectorAll<HTMLElement>('[role=option]')];
  await act(() => vi.waitFor(() => expect(options().length).toBeGreaterThan(0), 20_000));
  const named = (text: string) => options().find(one => one.textContent?.startsWith(text));
  expect(named('detector')).toBeUndefined();
  await act(async () => named('encoder')?.click());
  expect(field('Dimensions')?.value).toBe('384');
  expect(field('For the vectors of')?.value).toBe('encoder (384)');
  await type('Name', 'pictures');
  await act(async () => form()?.requestSubmit());
  await act(() => vi.waitFor(() => expect(sent).toHaveLength(1), 20_000));
  expect(sent).toEqual([{ name: 'pictures', dimension: 384, metric: 'cosine' }]);
  await type('Dimensions', '12');
  expect(field('For the vectors of')?.value).toBe('');
});

it('asks for dimensions alone where no model embeds', { timeout: 60_000 }, async () => {
  models = [model('detector', null)];
  await open();
  expect(field('For the vectors of')).toBeUndefined();
  expect(field('Dimensions')).toBeDefined();
});
