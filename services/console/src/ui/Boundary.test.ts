import { MantineProvider } from '@mantine/core';
import { act, createElement } from 'react';
import { createRoot } from 'react-dom/client';
import { afterEach, expect, it, vi } from 'vitest';
import { Boundary } from './Boundary';

function Shown({ value }: { value: string }) {
  if (value === 'odd') throw new Error(`${value} cannot be shown`);
  return value;
}

afterEach(() => vi.unstubAllGlobals());

it('says of what it shows that it failed, and of nothing else', async () => {
  vi.stubGlobal('IS_REACT_ACT_ENVIRONMENT', true);
  vi.stubGlobal('matchMedia', () => ({ addEventListener: vi.fn(), removeEventListener: vi.fn() }));
  vi.spyOn(console, 'error').mockReturnValue(undefined);
  const root = createRoot(document.body);
  const show = (value: string) =>
    act(() => {
      const shown = createElement(Boundary, {
        of: value,
        children: createElement('p', null, createElement(Shown, { value })),
      });
      root.render(createElement(MantineProvider, { env: 'test' }, shown));
    });
  await show('odd');
  expect(document.body.textContent).toContain('odd cannot be shown');
  await show('even');
  expect(document.querySelector('p')?.textContent).toBe('even');
  await act(() => root.unmount());
});
