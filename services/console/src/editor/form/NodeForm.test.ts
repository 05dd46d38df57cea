import { MantineProvider } from '@mantine/core';
import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { ReactFlowProvider } from '@xyflow/react';
import { act, createElement as make, type ReactNode } from 'react';
import { createRoot, type Root } from 'react-dom/client';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Block, NodeDefinition } from '~/api/types';
import { createEditor, EditorContext, type EditorStore } from '../store';
import { NodeForm } from './NodeForm';

class Unseen {
  observe(): void {}
  unobserve(): void {}
  disconnect(): void {}
}

const OTHER = '0192f0c1-2345-7abc-8def-0123456789ab';
const call = {
  id: 'sub_workflow@1',
  type: 'sub_workflow',
  version: 1,
  category: 'logic',
  title: 'Sub-workflow',
  help: '',
  runs: { by: 'orchestrator' },
  inputs: [],
  outputs: [],
  config: { properties: { workflow: { type: 'string' }, version: { type: 'integer' } } },
} as unknown as Block;

let root: Root;
beforeEach(() => {
  vi.stubGlobal('IS_REACT_ACT_ENVIRONMENT', true);
  vi.stubGlobal('ResizeObserver', Unseen);
  vi.stubGlobal('matchMedia', () => ({ addEventListener: vi.fn(), removeEventListener: vi.fn() }));
  vi.stubGlobal('fetch', () => Promise.resolve(new Response('{"workflows":[],"workers":[]}')));
  root = createRoot(document.body);
});
afterEach(async () => {
  await act(() => root.unmount());
  vi.unstubAllGlobals();
});

/** The form of the first of these nodes, as it stands in the editor. */
async function open(...nodes: NodeDefinition[]): Promise<EditorStore> {
  const store = createEditor({ name: 'w', nodes }, null, new Map([[call.type, call]]));
  const form: ReactNode = make(NodeForm, { id: nodes[0]?.id ?? '' });
  const client = new QueryClient();
  await act(() =>
    root.render(
      make(
        MantineProvider,
        { env: 'test' },
        make(
          QueryClientProvider,
          { client },
          make(ReactFlowProvider, null, make(EditorContext, { value: store }, form)),
        ),
      ),
    ),
  );
  return store;
}

/** Types over what the field has, and does not leave it. */
function type(field: string, text: string): Promise<void> {
  const input = document.querySelector<HTMLInputElement>(field);
  if (!input) throw new Error(`there is no ${field}`);
  return act(async () => {
    input.focus();
    Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value')?.set?.call(input, text);
    input.dispatchEvent(new Event('input', { bubbles: true }));
    await Promise.resolve();
  });
}

/** What the fields of the inputs say. */
const shown = () =>
  Object.fromEntries(
    [...document.querySelectorAll<HTMLInputElement>('input[aria-label^="Input "]')].map(input => [
      input.getAttribute('aria-label'),
      input.value,
    ]),
  );

/** A workflow that takes these. */
const taking = (...inputs: string[]) => ({
  name: 'called',
  nodes: inputs.map(id => ({ id, type: 'parameter_input', config: { kind: 'integer' } })),
});

const NAME = 'input[value="a"]';

describe('the form of a node', { timeout: 60_000 }, () => {
  it('leaves what is being typed at its input when the called workflow arrives', async () => {
    const store = await open({
      id: 'a',
      type: 'sub_workflow',
      inputs: { second: 2, first: 1 },
      config: { workflow: OTHER },
    });
    await type('[aria-label="Input second"]', '77');
    await act(() => store.getState().setCalled({ [OTHER]: taking('first', 'second') }));
    await act(() => (document.activeElement as HTMLElement | null)?.blur());
    expect(store.getState().nodes.get('a')?.inputs).toEqual({ second: 77, first: 1 });
    expect(shown()).toEqual({ 'Input first': '1', 'Input second': '77' });
  });

  it('shows nothing in an input that is called as something that every object has', async () => {
    const inputs = { given: 1 };
    const store = await open({ id: 'a', type: 'sub_workflow', inputs, config: { workflow: OTHER } });
    await act(() => store.getState().setCalled({ [OTHER]: taking('given', 'toString', '__proto__') }));
    expect(shown()).toEqual({ 'Input given': '1', 'Input toString': '', 'Input __proto__': '' });
  });

  it('gives a name that is still being typed to whoever saves', async () => {
    const store = await open(
      { id: 'a', type: 'delay' },
      { id: 'b', type: 'delay', inputs: { value: '$nodes.a.value' } },
    );
    await type(NAME, 'b');
    await act(() => store.getState().settle());
    expect([...store.getState().nodes.keys()]).toEqual(['a', 'b']);
    await type(NAME, 'first');
    await act(() => store.getState().settle());
    expect(store.getState().history.present.nodes).toEqual([
      { id: 'first', type: 'delay' },
      { id: 'b', type: 'delay', inputs: { value: '$nodes.first.value' } },
    ]);
    expect([...store.getState().selection]).toEqual(['first']);
  });

  it('leaves no version of the workflow that was called before', async () => {
    const store = await open({
      id: 'a',
      type: 'sub_workflow',
      config: { workflow: '0192f0c1-2345-7abc-8def-0123456789ac', version: 3 },
    });
    await type('[data-field=workflow] input', OTHER);
    await act(() => store.getState().settle());
    expect(store.getState().nodes.get('a')?.config).toEqual({ workflow: OTHER });
    await act(() => store.getState().undo());
    expect(store.getState().nodes.get('a')?.config?.version).toBe(3);
  });
});
