import { act, createElement as make } from 'react';
import { createRoot, type Root } from 'react-dom/client';
import { createMemoryRouter, RouterProvider } from 'react-router';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { useShownNode } from './useShownNode';

let shown: ReturnType<typeof useShownNode>;
let root: Root;
let router: ReturnType<typeof createMemoryRouter>;
const place = () => router.state.location.pathname + router.state.location.search;
const show = (...nodes: (string | null)[]) => act(() => nodes.forEach(node => shown.show(node)));

async function open(...entries: string[]): Promise<void> {
  function Run() {
    shown = useShownNode();
    return null;
  }
  const routes = [{ path: '/executions' }, { path: '/run', Component: Run }];
  const initialEntries = entries.map(entry => {
    const [pathname, search = ''] = entry.split('?');
    return { pathname, search, state: { origin: 'here' } };
  });
  router = createMemoryRouter(routes, { initialEntries });
  root = createRoot(document.createElement('div'));
  await act(() => root.render(make(RouterProvider, { router })));
}

beforeEach(() => vi.stubGlobal('IS_REACT_ACT_ENVIRONMENT', true));
afterEach(async () => {
  await act(() => root.unmount());
  vi.unstubAllGlobals();
});

it('is closed by going back, which leaves the run only then', async () => {
  await open('/executions', '/run');
  await show('a', 'a');
  await show('b');
  expect([place(), shown.node, router.state.location.state]).toEqual([
    '/run?node=b',
    'b',
    { origin: 'here', opened: true },
  ]);
  await act(() => router.navigate(-1));
  expect([place(), router.state.location.state]).toEqual(['/run', { origin: 'here' }]);
  await act(() => router.navigate(-1));
  expect(place()).toBe('/executions');
});

it('leaves nothing to go back over when it is closed', async () => {
  await open('/executions', '/run');
  await show('a');
  await show(null, null);
  expect(place()).toBe('/run');
  await act(() => router.navigate(-1));
  expect(place()).toBe('/executions');
});

it('is closed on its run where a link had opened it', async () => {
  await open('/executions', '/run?node=a');
  await show(null);
  expect(place()).toBe('/run');
});
