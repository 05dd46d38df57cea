import { MantineProvider } from '@mantine/core';
import { act, createElement as make, useEffect, useState, type ComponentType } from 'react';
import { createRoot, type Root } from 'react-dom/client';
import { createMemoryRouter, RouterProvider } from 'react-router';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { Definition } from '~/api/types';
import { keepDraft, readDraft } from '~/workflows/draft';
import { NoWorkflow } from './NoWorkflow';
import { openEditor } from './open';
import { hasWork } from './store';

const mine: Definition = { name: 'mine', nodes: [{ id: 'a', type: 'delay' }] };

let root: Root;
let router: ReturnType<typeof createMemoryRouter>;

beforeEach(() => {
  vi.stubGlobal('IS_REACT_ACT_ENVIRONMENT', true);
  vi.stubGlobal('matchMedia', () => ({ addEventListener: vi.fn(), removeEventListener: vi.fn() }));
  root = createRoot(document.body);
});
afterEach(async () => {
  await act(() => root.unmount());
  vi.unstubAllGlobals();
  sessionStorage.clear();
});

/** An editor, which keeps its work when it goes. */
function Editing() {
  useEffect(() => () => keepDraft('gone', { base: 3, definition: mine }), []);
  return null;
}

function Page() {
  const [gone, setGone] = useState(false);
  if (gone) return make(NoWorkflow, { id: 'gone' });
  return make('i', { onClick: () => setGone(true) }, make(Editing));
}

function open(page: ComponentType): Promise<void> {
  router = createMemoryRouter([
    { path: '/', Component: page },
    { path: '*', element: null },
  ]);
  return act(async () =>
    root.render(make(MantineProvider, { env: 'test' }, make(RouterProvider, { router }))),
  );
}

it('offers what was not saved of a workflow that is gone as a new one', async () => {
  await open(Page);
  await act(async () => document.querySelector('i')?.click());
  await act(async () => document.querySelector('button')?.click());
  const { pathname, search } = router.state.location;
  expect(pathname).toBe('/workflows/new');
  const place = new URLSearchParams(search).get('start') ?? '';
  const store = openEditor(place, null, new Map());
  expect(store.getState()).toMatchObject({ id: null, base: null, history: { present: { name: 'mine' } } });
  expect(hasWork(store.getState())).toBe(true);
  expect(readDraft('gone')).toBeNull();
});

it('offers nothing where there is nothing', async () => {
  await open(() => make(NoWorkflow, { id: 'other' }));
  expect(document.querySelector('button')).toBeNull();
  expect(document.body.textContent).toContain('There is no such workflow');
});
