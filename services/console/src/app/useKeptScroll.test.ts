import { act, createElement as make, useRef } from 'react';
import { createRoot, type Root } from 'react-dom/client';
import { createMemoryRouter, Outlet, RouterProvider } from 'react-router';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { clearTab } from '~/lib/tabStorage';
import { useKeptScroll } from './useKeptScroll';

let root: Root;
let router: ReturnType<typeof createMemoryRouter>;
/** How far what is there can be scrolled. */
let length: number;

function Frame() {
  const main = useRef<HTMLElement>(null);
  useKeptScroll(main);
  // eslint-disable-next-line react-hooks/refs -- as `<main ref={main}>`
  return make('main', { ref: main }, make(Outlet));
}

/** jsdom lays nothing out: an element that scrolls as far as `length`. */
function layOut(): void {
  let top = 0;
  Object.defineProperty(HTMLElement.prototype, 'scrollTop', {
    configurable: true,
    get: () => Math.min(top, length),
    set: (next: number) => {
      top = Math.min(next, length);
    },
  });
}

async function visit(): Promise<void> {
  router = createMemoryRouter([
    {
      Component: Frame,
      children: [
        { path: '/', element: 'list' },
        { path: '/one', element: 'one' },
      ],
    },
  ]);
  root = createRoot(document.body);
  await act(() => root.render(make(RouterProvider, { router })));
}
beforeEach(async () => {
  vi.stubGlobal('IS_REACT_ACT_ENVIRONMENT', true);
  length = 1_000;
  layOut();
  await visit();
});
afterEach(async () => {
  await act(() => root.unmount());
  Reflect.deleteProperty(HTMLElement.prototype, 'scrollTop');
  clearTab();
  vi.unstubAllGlobals();
});

const main = () => document.querySelector('main') as HTMLElement;
const top = () => main().scrollTop;
function scroll(to: number): void {
  main().scrollTop = to;
  main().dispatchEvent(new Event('scroll'));
}
const go = (to: string | number, options?: { replace: boolean }) =>
  act(async () => (typeof to === 'number' ? router.navigate(to) : router.navigate(to, options)));
/** Something is added to what is there. */
const grow = (by: number) =>
  act(async () => {
    length += by;
    main().append(document.createElement('p'));
  });

it('begins a new page at its top, and goes back to where one was', async () => {
  scroll(400);
  await go('/one');
  expect(top()).toBe(0);
  scroll(70);
  await go(-1);
  expect(top()).toBe(400);
  await go(1);
  expect(top()).toBe(70);
});

it('stays where it is while a filter or a panel changes the address', async () => {
  scroll(400);
  await go('/?status=failed', { replace: true });
  await go('/?status=failed&node=a');
  expect(top()).toBe(400);
});

it('waits for what has to be read first, unless the reader goes elsewhere', async () => {
  scroll(400);
  await go('/one');
  length = 100;
  await go(-1);
  expect(top()).toBe(100);
  await grow(500);
  expect(top()).toBe(400);
  await go('/one');
  length = 100;
  await go(-1);
  main().dispatchEvent(new Event('wheel'));
  scroll(20);
  await grow(500);
  expect(top()).toBe(20);
});

it('is found again after a reload', async () => {
  scroll(400);
  window.dispatchEvent(new Event('pagehide'));
  await act(() => root.unmount());
  main()?.remove();
  layOut();
  await visit();
  expect(top()).toBe(400);
});
