import { MantineProvider } from '@mantine/core';
import { act, createElement as make } from 'react';
import { createRoot, type Root } from 'react-dom/client';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { CopyText } from './CopyText';
import { notifyProblem } from './notify';

vi.mock('./notify', () => ({ notifyProblem: vi.fn() }));

let root: Root;
/** What was selected whenever the browser was asked to copy. */
let selected: string[];

beforeEach(async () => {
  vi.stubGlobal('IS_REACT_ACT_ENVIRONMENT', true);
  vi.stubGlobal('matchMedia', () => ({ addEventListener: vi.fn(), removeEventListener: vi.fn() }));
  selected = [];
  root = createRoot(document.body);
  await act(() =>
    root.render(
      make(MantineProvider, { env: 'test' }, make(CopyText, { text: 'mr_secret', label: 'the key' })),
    ),
  );
});
afterEach(async () => {
  await act(() => root.unmount());
  vi.mocked(notifyProblem).mockReset();
  vi.unstubAllGlobals();
  Reflect.deleteProperty(document, 'execCommand');
});

const button = () => document.querySelector('button') as HTMLButtonElement;
const press = () => act(async () => button().click());
const isCopied = () => button().querySelector('.tabler-icon-check') !== null;
/** The older way to copy, which takes what is selected. */
function copySelected(works: boolean): void {
  Object.assign(document, {
    execCommand: (what: string) => {
      const field = document.activeElement as HTMLTextAreaElement;
      selected.push(`${what} ${field.value.slice(field.selectionStart, field.selectionEnd)}`);
      return works;
    },
  });
}

it('takes the clipboard where there is one', async () => {
  const writeText = vi.fn(() => Promise.resolve());
  vi.stubGlobal('isSecureContext', true);
  vi.stubGlobal('navigator', { clipboard: { writeText } });
  await press();
  expect(writeText).toHaveBeenCalledWith('mr_secret');
  expect(isCopied()).toBe(true);
});

it('copies on a page that came by plain http', async () => {
  vi.stubGlobal('isSecureContext', false);
  copySelected(true);
  button().focus();
  await press();
  expect(selected).toEqual(['copy mr_secret']);
  expect(isCopied()).toBe(true);
  expect(document.querySelector('textarea')).toBeNull();
  expect(document.activeElement).toBe(button());
});

it('says so where nothing was copied, and has it selected', async () => {
  vi.stubGlobal('isSecureContext', true);
  vi.stubGlobal('navigator', { clipboard: { writeText: () => Promise.reject(new Error('denied')) } });
  copySelected(false);
  await press();
  expect(isCopied()).toBe(false);
  expect(notifyProblem).toHaveBeenCalledOnce();
  expect(getSelection()?.toString()).toBe('mr_secret');
});
