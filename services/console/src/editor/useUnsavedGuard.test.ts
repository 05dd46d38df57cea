import { act, createElement } from 'react';
import { createRoot, type Root } from 'react-dom/client';
import { createMemoryRouter, RouterProvider } from 'react-router';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { Definition } from '~/api/types';
import { logOut } from '~/login/session';
import { keepDraft, readDraft } from '~/workflows/draft';
import { openEditor } from './open';
import { EditorContext, type EditorStore } from './store';
import { useDraft } from './useDraft';
import { useUnsavedGuard } from './useUnsavedGuard';

const PLACE = 'a-workflow';
const named = (name: string): Definition => ({ name, nodes: [{ id: 'a', type: 'delay' }] });

let root: Root;
let store: EditorStore;
let sent: string[];

function Guarded() {
  const draft = useDraft(PLACE);
  useUnsavedGuard(draft.drop);
  return null;
}

/** Whether the browser would ask before it unloads the page. */
function asksBeforeUnload(): boolean {
  const event = new Event('beforeunload', { cancelable: true });
  window.dispatchEvent(event);
  return event.defaultPrevented;
}

beforeEach(async () => {
  vi.stubGlobal('IS_REACT_ACT_ENVIRONMENT', true);
  sent = [];
  vi.stubGlobal('fetch', async (address: string, { method }: RequestInit) => {
    sent.push(`${method} ${address}`);
    return new Response(null, { status: 204 });
  });
  vi.stubGlobal('location', { assign: (address: string) => sent.push(address) });
  store = openEditor(PLACE, null, new Map());
  const router = createMemoryRouter([{ path: '/', Component: Guarded }]);
  root = createRoot(document.createElement('div'));
  await act(() =>
    root.render(
      createElement(EditorContext, { value: store, children: createElement(RouterProvider, { router }) }),
    ),
  );
});
afterEach(async () => {
  await act(() => root.unmount());
  vi.unstubAllGlobals();
  sessionStorage.clear();
});

it('asks before a logout takes what is still being typed, and logs out only then', async () => {
  const question = vi.spyOn(window, 'confirm').mockReturnValue(false);
  const typed = store.getState().onSettle(() => {
    typed();
    store.getState().change(() => named('mine'));
  });
  await act(() => logOut());
  expect(question).toHaveBeenCalledOnce();
  expect(sent).toEqual([]);
  expect(asksBeforeUnload()).toBe(true);

  question.mockReturnValue(true);
  await act(() => logOut());
  expect(sent).toEqual(['DELETE /api/v1/session', '/login']);
  // It has been answered, and nothing is left for whoever logs in next.
  expect(asksBeforeUnload()).toBe(false);
  window.dispatchEvent(new Event('pagehide'));
  await act(() => root.unmount());
  expect(readDraft(PLACE)).toBeNull();
});

it('keeps the work where the logout fails', async () => {
  vi.stubGlobal('fetch', async () => new Response(null, { status: 503 }));
  vi.spyOn(window, 'confirm').mockReturnValue(true);
  await act(() => store.getState().change(() => named('mine')));
  await act(() => logOut());
  expect(sent).toEqual([]);
  expect(asksBeforeUnload()).toBe(true);
  window.dispatchEvent(new Event('pagehide'));
  expect(readDraft(PLACE)?.definition.name).toBe('mine');
});

it('asks for work that was left for another page as well', async () => {
  keepDraft('another', { base: 2, definition: named('theirs') });
  const question = vi.spyOn(window, 'confirm').mockReturnValue(false);
  await act(() => logOut());
  expect(question).toHaveBeenCalledOnce();
  expect(sent).toEqual([]);
  expect(readDraft('another')?.definition.name).toBe('theirs');
});

it('asks nothing where there is nothing to lose', async () => {
  const question = vi.spyOn(window, 'confirm').mockReturnValue(false);
  await act(() => logOut());
  expect(question).not.toHaveBeenCalled();
  expect(sent).toEqual(['DELETE /api/v1/session', '/login']);
});
