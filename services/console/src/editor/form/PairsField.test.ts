import { MantineProvider } from '@mantine/core';
import { act, createElement as make } from 'react';
import { createRoot, type Root } from 'react-dom/client';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { Json, JsonObject } from '~/api/types';
import { readList } from './JsonField';
import { isPairs, PairsField } from './PairsField';

let root: Root;
let given: Json | undefined;

beforeEach(() => {
  vi.stubGlobal('IS_REACT_ACT_ENVIRONMENT', true);
  vi.stubGlobal('matchMedia', () => ({
    matches: false,
    addEventListener: () => {},
    removeEventListener: () => {},
  }));
  document.body.innerHTML = '<div></div>';
  root = createRoot(document.body.firstElementChild as HTMLElement);
});
afterEach(async () => {
  await act(() => root.unmount());
  vi.unstubAllGlobals();
});

function show(value: JsonObject, texts = false): Promise<void> {
  given = undefined;
  const field = make(PairsField, {
    label: 'Cases',
    heads: ['port', 'equals'],
    value,
    texts,
    onChange: next => (given = next),
  });
  return act(async () => root.render(make(MantineProvider, { env: 'test', children: field })));
}

async function type(label: string, text: string): Promise<void> {
  const input = document.querySelector<HTMLInputElement>(`input[aria-label="${label}"]`);
  const set = Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value')?.set;
  await act(async () => {
    set?.call(input, text);
    input?.dispatchEvent(new Event('input', { bubbles: true }));
  });
  await act(async () => input?.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', bubbles: true })));
}

it('makes an object of rows, and keeps their order', async () => {
  await show({});
  await type('New port', 'round');
  expect(given).toBeUndefined();
  await type('New equals', 'circle');
  expect(given).toEqual({ round: 'circle' });
  await show({ round: 'circle', flat: 2 });
  await type('port 1', 'disc');
  expect(Object.entries(given as JsonObject)).toEqual([
    ['disc', 'circle'],
    ['flat', 2],
  ]);
  await type('equals 2', 'true');
  expect(given).toEqual({ round: 'circle', flat: true });
  await act(async () => document.querySelector<HTMLElement>('[aria-label="Remove round"]')?.click());
  expect(given).toEqual({ flat: 2 });
});

it('takes no name twice, and leaves texts as they are', async () => {
  await show({ a: '1', b: '2' }, true);
  await type('port 1', 'b');
  expect(given).toBeUndefined();
  await type('equals 1', '5');
  expect(given).toEqual({ a: '5', b: '2' });
});

it('is for objects without parts of their own', () => {
  expect([undefined, {}, { a: 1, b: null }].map(value => isPairs(value as Json | undefined))).toEqual([
    true,
    true,
    true,
  ]);
  expect([{ a: [1] }, [1], 'text'].map(value => isPairs(value as Json))).toEqual([false, false, false]);
});

it('lets the brackets of a list be left out', () => {
  expect(['10,10,50,50', '[1]', '7', '{"a":1}', 'some text'].map(readList)).toEqual([
    [10, 10, 50, 50],
    [1],
    [7],
    { a: 1 },
    'some text',
  ]);
});
