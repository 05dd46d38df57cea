import { act, createElement as make, startTransition } from 'react';
import { createRoot, type Root } from 'react-dom/client';
import { createMemoryRouter, RouterProvider } from 'react-router';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { useAddressText } from './useAddressText';

let root: Root;
let router: ReturnType<typeof createMemoryRouter>;
let field: [string, (text: string) => void];
/** What was in the field at each drawing. */
let drawn: string[];

const ACTION = {
  read: (named: string) => named.replaceAll('_', ' '),
  write: (text: string) => text.trim().replaceAll(' ', '_'),
};
function Named() {
  // eslint-disable-next-line react-hooks/globals -- so that the test has it
  field = useAddressText('action', ACTION);
  drawn.push(field[0]);
  return null;
}

beforeEach(async () => {
  vi.stubGlobal('IS_REACT_ACT_ENVIRONMENT', true);
  vi.useFakeTimers();
  drawn = [];
  router = createMemoryRouter([{ path: '/', Component: Named }], {
    initialEntries: ['/?tab=events&action=create_key'],
  });
  root = createRoot(document.createElement('div'));
  await act(() => root.render(make(RouterProvider, { router })));
});
afterEach(async () => {
  await act(() => root.unmount());
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

const type = (text: string) => act(async () => field[1](text));
const wait = (ms: number) => act(() => vi.advanceTimersByTimeAsync(ms));
const address = () => router.state.location.search;

it('has what is typed at once, and the address once it stands still', async () => {
  expect(field[0]).toBe('create key');
  for (const text of ['d', 'de', 'delete ']) {
    await type(text);
    expect(field[0]).toBe(text);
    await wait(100);
  }
  expect(address()).toBe('?tab=events&action=create_key');
  await wait(300);
  expect(address()).toBe('?tab=events&action=delete');
  // The blank is on the way to the next word.
  expect(field[0]).toBe('delete ');
  await type('delete key');
  await wait(300);
  expect([address(), field[0]]).toEqual(['?tab=events&action=delete_key', 'delete key']);
});

it('loses no letter to an address that comes late', async () => {
  await type('delete');
  await act(async () => {
    vi.advanceTimersByTime(250);
    // The page is drawn for the new address only afterwards.
    field[1]('delete m');
    startTransition(() => {});
  });
  expect(address()).toBe('?tab=events&action=delete');
  expect(field[0]).toBe('delete m');
  expect(drawn.slice(drawn.indexOf('delete m')).every(text => text === 'delete m')).toBe(true);
  await type('');
  await wait(300);
  expect([address(), field[0]]).toEqual(['?tab=events', '']);
});

it('follows an address that is changed elsewhere, whatever was being typed', async () => {
  await type('delete');
  await act(() => router.navigate('/?action=create_model'));
  await wait(1_000);
  expect([address(), field[0]]).toEqual(['?action=create_model', 'create model']);
});

it('writes nothing once its page was left', async () => {
  await type('delete');
  await act(() => root.render(null));
  await wait(1_000);
  expect(address()).toBe('?tab=events&action=create_key');
});
