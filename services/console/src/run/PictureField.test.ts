import { MantineProvider } from '@mantine/core';
import { act, createElement as make, useState } from 'react';
import { createRoot, type Root } from 'react-dom/client';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { defaultValue } from './inputs';
import { PictureField } from './PictureField';
import { notifyProblem } from '~/ui/notify';

// The sample pictures lie outside the console, where only the build may read.
vi.mock('./samples', () => ({
  SAMPLES: ['one', 'two'].map(name => ({ name, url: `/${name}.jpg` })),
}));

vi.mock('~/ui/notify', () => ({ notifyProblem: vi.fn() }));

class Unseen {
  observe(): void {}
  unobserve(): void {}
  disconnect(): void {}
}

let root: Root;
/** What answers the samples that were asked for. */
let answers: Map<string, (status?: number) => void>;

beforeEach(async () => {
  vi.stubGlobal('IS_REACT_ACT_ENVIRONMENT', true);
  vi.stubGlobal('ResizeObserver', Unseen);
  vi.stubGlobal('matchMedia', () => ({ addEventListener: vi.fn(), removeEventListener: vi.fn() }));
  Object.assign(URL, { createObjectURL: () => 'blob:1', revokeObjectURL: vi.fn() });
  answers = new Map();
  vi.stubGlobal(
    'fetch',
    (address: string) =>
      new Promise(resolve => answers.set(address, (status = 200) => resolve(new Response('x', { status })))),
  );
  root = createRoot(document.body);
  await act(() => root.render(make(MantineProvider, { env: 'test' }, make(Field))));
});
afterEach(async () => {
  await act(() => root.unmount());
  vi.unstubAllGlobals();
});

function Field() {
  const node = { id: 'photos', type: 'image_input' };
  const [value, setValue] = useState(defaultValue(node));
  return make(PictureField, { node, isList: true, first: true, value, onChange: setValue });
}

const named = (name: string) =>
  [...document.querySelectorAll('button')].find(button => button.textContent === name);
const shown = () => [...document.querySelectorAll('[data-pictures] img')].map(one => one.getAttribute('alt'));
async function choose(sample: string): Promise<void> {
  await act(async () => named('Sample')?.click());
  await act(() => vi.waitFor(() => expect(named(sample)).toBeDefined(), 20_000));
  await act(async () => named(sample)?.click());
}

it('keeps every picture of those that come late and one after the other', { timeout: 60_000 }, async () => {
  await choose('one');
  await choose('two');
  expect([...answers.keys()]).toEqual(['/one.jpg', '/two.jpg']);
  for (const answer of answers.values()) await act(async () => answer());
  await act(() => vi.waitFor(() => expect(shown()).toEqual(['one', 'two']), 20_000));
});

it('takes no error page for a sample', { timeout: 60_000 }, async () => {
  await choose('one');
  await act(async () => answers.get('/one.jpg')?.(503));
  await act(() => vi.waitFor(() => expect(notifyProblem).toHaveBeenCalledOnce(), 20_000));
  expect(shown()).toEqual([]);
});
