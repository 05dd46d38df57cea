import { act, createElement as make } from 'react';
import { createRoot } from 'react-dom/client';
import { createMemoryRouter, RouterProvider } from 'react-router';
import { afterEach, expect, it, vi } from 'vitest';
import { notifyDone } from '~/ui/notify';
import { useGoToRun } from './useGoToRun';

vi.mock('~/ui/notify', () => ({ notifyDone: vi.fn() }));
afterEach(() => vi.unstubAllGlobals());

it('goes to the run that has begun, or tells of it where its page was left before', async () => {
  vi.stubGlobal('IS_REACT_ACT_ENVIRONMENT', true);
  let begun: () => void = () => {};
  function Asking() {
    const go = useGoToRun();
    begun = () => void go('one');
    return null;
  }
  const router = createMemoryRouter([
    { path: '/', Component: Asking },
    { path: '*', element: null },
  ]);
  const root = createRoot(document.createElement('div'));
  await act(() => root.render(make(RouterProvider, { router })));
  await act(() => router.navigate('/elsewhere'));
  await act(() => begun());
  expect(router.state.location.pathname).toBe('/elsewhere');
  expect(notifyDone).toHaveBeenCalledOnce();
  await act(() => router.navigate('/'));
  await act(() => begun());
  expect(router.state.location.pathname).toBe('/executions/one');
  expect(notifyDone).toHaveBeenCalledOnce();
  await act(() => root.unmount());
});
