import { act, createElement as make } from 'react';
import { createRoot } from 'react-dom/client';
import { createMemoryRouter, RouterProvider } from 'react-router';
import { afterEach, expect, it, vi } from 'vitest';
import { useAddress } from './useAddress';

afterEach(() => vi.unstubAllGlobals());

it('changes what is named in the address, and nothing that goes along with it', async () => {
  vi.stubGlobal('IS_REACT_ACT_ENVIRONMENT', true);
  let address: ReturnType<typeof useAddress> | undefined;
  function Named() {
    address = useAddress();
    return null;
  }
  const state = { origin: 'here' };
  const router = createMemoryRouter([{ path: '/', Component: Named }], {
    initialEntries: [{ pathname: '/', search: '?tab=events', state }],
  });
  const root = createRoot(document.createElement('div'));
  await act(() => root.render(make(RouterProvider, { router })));
  const place = () => [router.state.location.search, router.state.location.state];
  await act(() => address?.set('node', 'a'));
  expect(place()).toEqual(['?tab=events&node=a', state]);
  await act(() => address?.set('tab', null));
  expect(place()).toEqual(['?node=a', state]);
  await act(() => address?.setAll({ node: 'b' }));
  expect(place()).toEqual(['?node=b', state]);
  await act(() => root.unmount());
});
