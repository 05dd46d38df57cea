import { act, createElement as make } from 'react';
import { createRoot } from 'react-dom/client';
import { createMemoryRouter, RouterProvider } from 'react-router';
import { afterEach, expect, it, vi } from 'vitest';
import { useGoFromHere } from './useLeaving';

afterEach(() => vi.unstubAllGlobals());

it('goes where an answer leads, unless its page was left before', async () => {
  vi.stubGlobal('IS_REACT_ACT_ENVIRONMENT', true);
  let answer: () => void = () => {};
  function Asking() {
    const go = useGoFromHere();
    answer = () => void go('/answered');
    return null;
  }
  const router = createMemoryRouter([
    { path: '/', Component: Asking },
    { path: '*', element: null },
  ]);
  const root = createRoot(document.createElement('div'));
  await act(() => root.render(make(RouterProvider, { router })));
  await act(() => router.navigate('/elsewhere'));
  await act(() => answer());
  expect(router.state.location.pathname).toBe('/elsewhere');
  await act(() => router.navigate('/'));
  await act(() => answer());
  expect(router.state.location.pathname).toBe('/answered');
  await act(() => root.unmount());
});
