import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { act, createElement } from 'react';
import { createRoot } from 'react-dom/client';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { Block } from '~/api/types';
import { wireUp } from '../canvas/useConnecting';
import { createEditor, EditorContext } from '../store';
import { useAddBlock, type AddBlock } from './useAddBlock';

beforeEach(() => vi.stubGlobal('IS_REACT_ACT_ENVIRONMENT', true));
afterEach(() => vi.unstubAllGlobals());

it('adds a block and what comes with it as one step of undo', async () => {
  const block = {
    type: 'delay',
    id: 'delay@1',
    inputs: [],
    outputs: [],
    examples: [],
    runs: {},
    config: {},
  } as unknown as Block;
  const start = { nodes: [{ id: 'n', type: 'parameter_input' }], ui: { positions: { n: [0, 0] } } };
  const store = createEditor(start as never, null, new Map([['delay', block]]));
  let addBlock: AddBlock = () => null;
  function Adding() {
    addBlock = useAddBlock();
    return null;
  }
  const root = createRoot(document.createElement('div'));
  const within = createElement(EditorContext, { value: store, children: createElement(Adding) });
  await act(() =>
    root.render(createElement(QueryClientProvider, { client: new QueryClient(), children: within })),
  );
  const id = addBlock('delay', [10, 20], (before, added) =>
    wireUp(before, 'n', 'value', added, ['inputs', 'value']),
  );
  const state = store.getState;
  expect(state().nodes.get(id ?? '')?.inputs).toEqual({ value: '$inputs.n' });
  expect([...state().selection]).toEqual([id]);
  state().undo();
  expect(state().history.present).toBe(start);
  await act(() => root.unmount());
});
