import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { act, createElement as make } from 'react';
import { createRoot, type Root } from 'react-dom/client';
import { createMemoryRouter, RouterProvider } from 'react-router';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { Definition } from '~/api/types';
import { openEditor } from './open';
import { EditorContext, type EditorStore } from './store';
import { useSave } from './useSave';

const named = (name: string): Definition => ({ name, nodes: [{ id: 'a', type: 'delay' }] });
const draft = { moveTo: () => {} };

interface Sent {
  call: string;
  ifMatch: string | undefined;
  answer(status: number, body: object): void;
}

let root: Root;
let store: EditorStore;
let sent: Sent[];
let router: ReturnType<typeof createMemoryRouter>;

function Saving() {
  // The page that is left keeps the record that it was drawn with.
  const { run } = useSave({ place: 'new-one', record: null, draft });
  return make('button', { onClick: run });
}

beforeEach(async () => {
  vi.stubGlobal('IS_REACT_ACT_ENVIRONMENT', true);
  sent = [];
  vi.stubGlobal('fetch', (address: string, { method, headers }: RequestInit) => {
    return new Promise<Response>(resolve =>
      sent.push({
        call: `${method} ${address}`,
        ifMatch: (headers as Record<string, string>)['if-match'],
        answer: (status, body) => resolve(new Response(JSON.stringify(body), { status })),
      }),
    );
  });
  store = openEditor('new-one', null, new Map());
  router = createMemoryRouter([
    { path: '/', Component: Saving },
    { path: '*', Component: Saving },
  ]);
  root = createRoot(document.body);
  await act(() =>
    root.render(
      make(
        QueryClientProvider,
        { client: new QueryClient() },
        make(EditorContext, { value: store }, make(RouterProvider, { router })),
      ),
    ),
  );
});
afterEach(async () => {
  await act(() => root.unmount());
  vi.unstubAllGlobals();
});

const press = () => act(async () => document.querySelector('button')?.click());
const until = (holds: () => void) => act(() => vi.waitFor(holds, 5_000));

it('makes one workflow, also where the next save comes from the page that made it', async () => {
  await act(async () => store.getState().change(() => named('one')));
  await press();
  expect(sent.map(({ call }) => call)).toEqual(['POST /api/v1/workflows']);
  await act(async () => sent[0]?.answer(201, { id: 'made', version: 1, definition: named('one') }));
  await until(() => expect(router.state.location.pathname).toBe('/workflows/made'));
  await act(async () => store.getState().change(() => named('two')));
  await press();
  expect(sent[1]).toMatchObject({ call: 'PUT /api/v1/workflows/made', ifMatch: '"1"' });
});
