import { MantineProvider } from '@mantine/core';
import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { act, createElement as make } from 'react';
import { createRoot, type Root } from 'react-dom/client';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { NodeRun } from '~/api/types';
import { LiveContext } from '../live/context';
import { createLiveStore } from '../live/store';
import { Given } from './Given';

let root: Root;
let asked: string[];
let answer: NodeRun[];

beforeEach(() => {
  vi.stubGlobal('IS_REACT_ACT_ENVIRONMENT', true);
  vi.stubGlobal('matchMedia', () => ({ addEventListener: vi.fn(), removeEventListener: vi.fn() }));
  asked = [];
  vi.stubGlobal('fetch', async (address: string) => {
    asked.push(decodeURIComponent(address.replace('/api/v1/executions/one/nodes/', '')));
    return Response.json({ execution_id: 'one', nodes: answer });
  });
  root = createRoot(document.body);
});
afterEach(async () => {
  await act(() => root.unmount());
  vi.unstubAllGlobals();
});

const run = (path: string, extra: Partial<NodeRun> = {}): NodeRun => ({
  node_id: 'resize',
  block: 'resize@1',
  status: 'completed',
  attempt: 1,
  ...(path && { path }),
  ...extra,
});
async function show(one: NodeRun): Promise<void> {
  const [store, client] = [createLiveStore('one'), new QueryClient()];
  await act(() =>
    root.render(
      make(
        MantineProvider,
        { env: 'test' },
        make(
          QueryClientProvider,
          { client },
          make(LiveContext, { value: store }, make(Given, { key: one.path, run: one })),
        ),
      ),
    ),
  );
}
const until = (text: string) =>
  act(() => vi.waitFor(() => expect(document.body.textContent).toContain(text), 20_000));

it('shows what the node run was given', { timeout: 60_000 }, async () => {
  answer = [run('', { inputs: { width: 640, name: 'star' } })];
  await show(run(''));
  await until('star');
  expect(document.body.textContent).toContain('width640');
  expect(asked).toEqual(['resize?limit=1']);
});

it('asks for the item that is meant', { timeout: 60_000 }, async () => {
  for (const [path, query] of [
    ['[0]', 'resize?limit=1'],
    ['[7]', 'resize?limit=1&after=resize[6]'],
    ['[3,0]', 'resize?limit=1&after=resize[2,4294967295]'],
    ['[0,2]', 'resize?limit=1&after=resize[0,1]'],
  ] as const) {
    asked = [];
    answer = [run(path, { inputs: { at: path } })];
    await show(run(path));
    await until(`at${path}`);
    expect(asked).toEqual([query]);
  }
});

it('does not show what another item was given', { timeout: 60_000 }, async () => {
  answer = [run('[8]', { inputs: { at: 'eight' } })];
  await show(run('[7]'));
  await until('cannot be looked up');
  expect(document.body.textContent).not.toContain('eight');
});
