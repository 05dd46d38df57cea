import { MantineProvider } from '@mantine/core';
import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { act, createElement as make } from 'react';
import { createRoot, type Root } from 'react-dom/client';
import { createMemoryRouter, RouterProvider } from 'react-router';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createEditor, EditorContext } from '~/editor/store';
import { keepGiven } from './given';
import { RunPanel } from './RunPanel';

// The sample pictures lie outside the console, where only the build may read.
vi.mock('./samples', () => ({ SAMPLES: [] }));

class Unseen {
  observe(): void {}
  unobserve(): void {}
  disconnect(): void {}
}

interface Sent {
  address: string;
  signal: AbortSignal;
  answer(value: object): void;
}

let root: Root;
let router: ReturnType<typeof createMemoryRouter>;
let sent: Sent[];
/** The addresses that files have at the moment. */
let held: Set<string>;

beforeEach(async () => {
  vi.stubGlobal('IS_REACT_ACT_ENVIRONMENT', true);
  vi.stubGlobal('ResizeObserver', Unseen);
  vi.stubGlobal('matchMedia', () => ({ addEventListener: vi.fn(), removeEventListener: vi.fn() }));
  [sent, held] = [[], new Set()];
  vi.stubGlobal('fetch', (address: string, { method, signal }: RequestInit) => {
    if (method !== 'POST') return Promise.resolve(new Response('{"scope":"admin"}'));
    return new Promise((resolve, reject) => {
      signal?.addEventListener('abort', () => reject(signal.reason));
      const answer = (value: object) => resolve(new Response(JSON.stringify(value)));
      sent.push({ address, signal: signal as AbortSignal, answer });
    });
  });
  let made = 0;
  Object.assign(URL, {
    createObjectURL() {
      made += 1;
      held.add(`blob:${made}`);
      return `blob:${made}`;
    },
    revokeObjectURL: (address: string) => held.delete(address),
  });
  await open();
});
afterEach(async () => {
  await act(() => root.unmount());
  keepGiven({ place: '', nodes: [], values: new Map() });
  vi.unstubAllGlobals();
});

/** The panel over a workflow that takes a picture. */
async function open(): Promise<void> {
  const nodes = [{ id: 'photo', type: 'image_input' }];
  const store = createEditor({ name: 'w', nodes }, null, new Map());
  const panel = make(RunPanel, { place: 'w', record: null, onClose: vi.fn() });
  router = createMemoryRouter([
    { path: '/', element: panel },
    { path: '*', element: null },
  ]);
  root = createRoot(document.body);
  await act(() =>
    root.render(
      make(
        MantineProvider,
        { env: 'test' },
        make(
          QueryClientProvider,
          { client: new QueryClient() },
          make(EditorContext, { value: store }, make(RouterProvider, { router })),
        ),
      ),
    ),
  );
}

const find = <T extends Element>(selector: string): T => {
  const found = document.querySelector<T>(selector);
  if (!found) throw new Error(`there is no ${selector}`);
  return found;
};
async function choose(): Promise<void> {
  const chooser = find<HTMLInputElement>('[data-input=photo]');
  Object.defineProperty(chooser, 'files', {
    configurable: true,
    value: [new File(['x'], 'a.png', { type: 'image/png' })],
  });
  await act(() => void chooser.dispatchEvent(new Event('change', { bubbles: true })));
}
const until = (holds: () => void) => act(() => vi.waitFor(holds, 20_000));
const run = () => act(async () => find<HTMLFormElement>('form').requestSubmit());

describe('a run', { timeout: 60_000 }, () => {
  it('uploads its pictures, begins, and is gone to', async () => {
    const addresses = () => sent.map(({ address }) => address);
    await choose();
    await run();
    await until(() => expect(addresses()).toEqual(['/api/v1/blobs']));
    sent[0]?.answer({ blob: 'ab' });
    await until(() => expect(addresses()).toEqual(['/api/v1/blobs', '/api/v1/executions']));
    sent[1]?.answer({ execution_id: 'one' });
    await until(() => expect(router.state.location.pathname).toBe('/executions/one'));
  });

  it('is tried again with what the one before was given', async () => {
    await choose();
    await act(() => router.navigate('/elsewhere'));
    expect(document.querySelector('[data-pictures]')).toBeNull();
    await act(() => router.navigate('/'));
    expect(find<HTMLImageElement>('[data-pictures] img').alt).toBe('a.png');
    expect([...held]).toEqual([find<HTMLImageElement>('[data-pictures] img').src]);
  });

  it('that is given up while its pictures are on their way does not begin', async () => {
    await choose();
    await run();
    await until(() => expect(sent).toHaveLength(1));
    await act(() => router.navigate('/elsewhere'));
    expect(sent[0]?.signal.aborted).toBe(true);
    await act(async () => sent[0]?.answer({ blob: 'ab' }));
    expect(sent).toHaveLength(1);
    expect(router.state.location.pathname).toBe('/elsewhere');
  });

  it('that begins after it was given up is cancelled', async () => {
    await choose();
    await run();
    await until(() => expect(sent).toHaveLength(1));
    sent[0]?.answer({ blob: 'ab' });
    await until(() => expect(sent).toHaveLength(2));
    await act(() => router.navigate('/elsewhere'));
    sent[1]?.answer({ execution_id: 'one' });
    await until(() => expect(sent[2]?.address).toBe('/api/v1/executions/one/cancel'));
    await act(async () => sent[2]?.answer({}));
    expect(router.state.location.pathname).toBe('/elsewhere');
  });

  it('holds the bytes of its pictures while they are shown', async () => {
    await choose();
    expect([...held]).toEqual([find<HTMLImageElement>('[data-pictures] img').src]);
    // Another takes the place of the one before.
    await choose();
    expect([...held]).toEqual([find<HTMLImageElement>('[data-pictures] img').src]);
    await act(() => find<HTMLButtonElement>('[aria-label="Remove a.png"]').click());
    expect(held.size).toBe(0);
    await choose();
    await act(() => router.navigate('/elsewhere'));
    expect(held.size).toBe(0);
  });
});
