import { MantineProvider } from '@mantine/core';
import { QueryClient, QueryClientProvider, useQuery } from '@tanstack/react-query';
import { ReactFlowProvider } from '@xyflow/react';
import { act, createElement as make, type ComponentType } from 'react';
import { createRoot, type Root } from 'react-dom/client';
import { createMemoryRouter, RouterProvider } from 'react-router';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { workflowQuery } from '~/api/queries';
import { isMissing } from '~/api/request';
import type { Definition, WorkflowRecord } from '~/api/types';
import { NewerVersion } from './NewerVersion';
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
  return make('button', { id: 'save', onClick: run });
}

/** The page of a saved workflow, with what it says of others' versions. */
function Saved() {
  const { data, error } = useQuery(workflowQuery('w'));
  const save = useSave({ place: 'w', record: data ?? null, draft });
  if (isMissing(error)) return 'gone';
  return [
    make('button', { key: 'save', id: 'save', onClick: save.run }),
    data && make(NewerVersion, { key: 'newer', record: data, save }),
  ];
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
  vi.stubGlobal('matchMedia', () => ({ addEventListener: vi.fn(), removeEventListener: vi.fn() }));
  root = createRoot(document.body);
});
afterEach(async () => {
  await act(() => root.unmount());
  vi.unstubAllGlobals();
});

function open(page: ComponentType, record: WorkflowRecord | null): Promise<void> {
  store = openEditor('new-one', record, new Map());
  const client = new QueryClient({ defaultOptions: { queries: { retry: false } } });
  if (record) client.setQueryData(workflowQuery(record.id).queryKey, record);
  router = createMemoryRouter([{ path: '*', Component: page }]);
  const inside = make(EditorContext, { value: store }, make(RouterProvider, { router }));
  return act(async () =>
    root.render(
      make(
        MantineProvider,
        { env: 'test' },
        make(QueryClientProvider, { client }, make(ReactFlowProvider, null, inside)),
      ),
    ),
  );
}

const record = (version: number, name: string) =>
  ({ id: 'w', version, definition: named(name) }) as unknown as WorkflowRecord;
const edit = (name: string) => act(async () => store.getState().change(() => named(name)));
const buttons = () => [...document.querySelectorAll<HTMLElement>('a, button')];
const press = () => act(async () => document.querySelector<HTMLElement>('#save')?.click());
const until = (holds: () => void) => act(() => vi.waitFor(holds, 5_000));

it('makes one workflow, also where the next save comes from the page that made it', async () => {
  await open(Saving, null);
  await edit('one');
  await press();
  expect(sent.map(({ call }) => call)).toEqual(['POST /api/v1/workflows']);
  await act(async () => sent[0]?.answer(201, { id: 'made', version: 1, definition: named('one') }));
  await until(() => expect(router.state.location.pathname).toBe('/workflows/made'));
  await edit('two');
  await press();
  expect(sent[1]).toMatchObject({ call: 'PUT /api/v1/workflows/made', ifMatch: '"1"' });
});

/** Opens version 1, changes it, and has a save of it told that it is not there to be replaced. */
async function refuse(status: number): Promise<void> {
  await open(Saved, record(1, 'one'));
  await edit('mine');
  sent.splice(0).forEach(read => read.answer(200, record(1, 'one')));
  await press();
  await act(async () => sent.at(-1)?.answer(status, { status, detail: 'no' }));
  await until(() => expect(sent.at(-1)?.call).toBe('GET /api/v1/workflows/w'));
}

it('shows what was saved meanwhile, and replaces it only when that is asked for', async () => {
  await refuse(412);
  expect(sent[0]).toMatchObject({ call: 'PUT /api/v1/workflows/w', ifMatch: '"1"' });
  await act(async () => sent.at(-1)?.answer(200, record(4, 'theirs')));
  await until(() => expect(document.body.textContent).toContain('Version 4 was saved meanwhile'));
  expect(document.querySelector('a')?.getAttribute('href')).toBe('/workflows/w/versions?from=1&to=4');
  expect(store.getState().history.present.name).toBe('mine');
  const before = sent.length;
  await act(async () =>
    buttons()
      .find(one => one.textContent === 'Save mine as the newest')
      ?.click(),
  );
  expect(sent.slice(before)).toMatchObject([{ call: 'PUT /api/v1/workflows/w', ifMatch: '"4"' }]);
});

it('learns from a save that the workflow is gone', async () => {
  await refuse(410);
  await act(async () => sent.at(-1)?.answer(410, { status: 410, detail: 'gone' }));
  await until(() => expect(document.querySelector('#save')).toBeNull());
});

it('saves nothing while a text is half written', async () => {
  await open(Saving, null);
  await edit('one');
  store.getState().onSettle(() => store.getState().setUntaken('half a text'));
  await press();
  expect(sent).toEqual([]);
});
