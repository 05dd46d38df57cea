/** For tests: a page with something to ask, the places around it, and somebody who goes about. */
import { act, createElement } from 'react';
import { createRoot } from 'react-dom/client';
import { createMemoryRouter, RouterProvider } from 'react-router';
import { vi } from 'vitest';

export interface AskingPage {
  /** Has the answer come by which one would leave the page. */
  answer(): Promise<void>;
  goTo(place: string): Promise<void>;
  place(): string;
  unmount(): Promise<void>;
}

/** A page at `/` that goes on as the hook `useGo` says. */
export async function askingPage(useGo: () => () => void | Promise<void>): Promise<AskingPage> {
  vi.stubGlobal('IS_REACT_ACT_ENVIRONMENT', true);
  // What was asked before the page was left answers all the same.
  let go: () => void | Promise<void> = () => {};
  function Asking() {
    go = useGo();
    return null;
  }
  const router = createMemoryRouter([
    { path: '/', Component: Asking },
    { path: '*', element: null },
  ]);
  const root = createRoot(document.createElement('div'));
  await act(() => root.render(createElement(RouterProvider, { router })));
  return {
    answer: () => act(async () => go()),
    goTo: place => act(() => router.navigate(place)),
    place: () => router.state.location.pathname,
    async unmount() {
      await act(() => root.unmount());
      vi.unstubAllGlobals();
    },
  };
}
