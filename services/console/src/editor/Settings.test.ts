import { MantineProvider } from '@mantine/core';
import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { ReactFlowProvider } from '@xyflow/react';
import { act, createElement as make, useState } from 'react';
import { createRoot, type Root } from 'react-dom/client';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Block, Fault, NodeDefinition } from '~/api/types';
import { indexFaults } from './document/faults';
import { Settings } from './Settings';
import { createEditor, EditorContext, type EditorStore } from './store';
import { VerdictMark } from './VerdictMark';

class Unseen {
  observe(): void {}
  unobserve(): void {}
  disconnect(): void {}
}

const region = { type: 'object', properties: { width: { type: 'number' } } };
const crop = {
  id: 'crop@1',
  type: 'crop',
  version: 1,
  category: 'transform',
  title: 'Crop',
  help: '',
  runs: { by: 'orchestrator' },
  inputs: [],
  outputs: [],
  config: { properties: { mode: { type: 'string' }, region } },
} as unknown as Block;

let root: Root;
beforeEach(() => {
  vi.stubGlobal('IS_REACT_ACT_ENVIRONMENT', true);
  vi.stubGlobal('ResizeObserver', Unseen);
  vi.stubGlobal('matchMedia', () => ({ addEventListener: vi.fn(), removeEventListener: vi.fn() }));
  vi.stubGlobal('fetch', () => Promise.resolve(new Response('{"workers":[{"alive":true,"pools":["own"]}]}')));
  root = createRoot(document.body);
});
afterEach(async () => {
  await act(() => root.unmount());
  vi.unstubAllGlobals();
});

/** What stands beside the canvas, and the mark above it. */
function Beside() {
  const [open, setOpen] = useState(false);
  return [
    make(VerdictMark, { key: 'mark', onList: () => setOpen(true) }),
    make(Settings, { key: 'settings', open, onClose: () => setOpen(false) }),
  ];
}

/** A workflow of these nodes, of which the first is selected. */
async function open(...nodes: NodeDefinition[]): Promise<EditorStore> {
  const store = createEditor({ name: 'w', nodes }, null, new Map([[crop.type, crop]]));
  store.getState().select([nodes[0]?.id ?? '']);
  const inside = make(EditorContext, { value: store }, make(ReactFlowProvider, null, make(Beside)));
  await act(() =>
    root.render(
      make(
        MantineProvider,
        { env: 'test' },
        make(QueryClientProvider, { client: new QueryClient() }, inside),
      ),
    ),
  );
  return store;
}

/** Has the server say this of the workflow. */
function tell(store: EditorStore, as: 'faults' | 'warnings', ...told: Partial<Fault>[]): Promise<void> {
  const { history, judge } = store.getState();
  const of = history.present;
  const [count, warnings] = as === 'faults' ? [told.length, 0] : [0, told.length];
  const state = as === 'faults' ? 'invalid' : 'valid';
  return act(async () =>
    judge({ state, of, inputs: [], count, warnings }, indexFaults(of, told as Fault[], as)),
  );
}

const find = <T extends HTMLElement>(selector: string): T => {
  const found = document.querySelector<T>(selector);
  if (!found) throw new Error(`there is no ${selector}`);
  return found;
};
const press = (selector: string) => act(async () => find(selector).click());
const texts = (selector: string) => [...document.querySelectorAll(selector)].map(one => one.textContent);

describe('the settings beside the canvas', { timeout: 60_000 }, () => {
  it('show what is wrong at no field that there is', async () => {
    const config = { region: { width: 3, wide: 4 }, modes: 'x' };
    const store = await open({ id: 'a', type: 'crop', config });
    await tell(
      store,
      'faults',
      { code: 'A', pointer: '/nodes/0/config', message: 'of all settings' },
      { code: 'B', pointer: '/nodes/0/config/modes', message: 'no such setting' },
      { code: 'C', pointer: '/nodes/0/config/region/wide', message: 'no such part' },
      { code: 'D', pointer: '/nodes/0/config/region/width', message: 'of the width' },
      { code: 'E', pointer: '/nodes/0/config/mode', message: 'of the mode' },
      { code: 'F', pointer: '/nodes/0/on_error', message: 'of the policy' },
    );
    expect(texts('[role=alert]')).toEqual([
      'of all settings',
      'no such setting',
      'of the mode',
      'of the width',
      'no such part',
      'of the policy',
    ]);
    expect(texts('[data-field=on_error] [role=alert]')).toEqual(['of the policy']);
  });

  it('show a warning at its field, milder, and count it apart', async () => {
    const store = await open({ id: 'a', type: 'crop', pool: 'heavy' });
    await tell(store, 'warnings', { code: 'IDLE', pointer: '/nodes/0/pool', message: 'in vain' });
    expect(texts('[role=alert]')).toEqual([]);
    expect(texts('[data-field=pool] [data-mild]')).toEqual(['in vain']);
    expect(find('[role=status] button').textContent).toContain('1 warning');
    await act(async () => store.getState().select([]));
    expect(texts('section[aria-label=Problems] [data-mild] span')).toEqual(['in vain']);
    expect(document.body.textContent).toContain('Valid, and ready to run.');

    await act(async () => store.getState().select(['a']));
    await press('[aria-label="Take out: Pool"]');
    expect(store.getState().nodes.get('a')).toEqual({ id: 'a', type: 'crop' });
  });

  it('offer the pools that are served', async () => {
    await open({ id: 'a', type: 'crop', pool: 'o' });
    // Of those that contain what is written.
    await act(() => vi.waitFor(() => expect(texts('[role=option]')).toContain('own'), 10_000));
    expect(texts('[role=option]')).not.toContain('io');
  });

  it('are open over a small screen for a node, and for what is wrong with the workflow itself', async () => {
    const store = await open({ id: 'a', type: 'crop' });
    const isOpen = () => find('aside').dataset.open !== undefined;
    expect(isOpen()).toBe(true);
    await press('[aria-label="Close the settings"]');
    expect([isOpen(), store.getState().selection.size]).toEqual([false, 0]);
    await tell(store, 'faults', { code: 'A', pointer: '/timeout_ms', message: 'too long' });
    await press('[role=status] button');
    expect(isOpen()).toBe(true);
    expect(texts('section[aria-label=Problems]')[0]).toContain('too long');
    await press('[aria-label="Close the settings"]');
    expect(isOpen()).toBe(false);
    await tell(store, 'faults', { code: 'A', pointer: '/nodes/0/config', message: 'of a' });
    await press('[role=status] button');
    expect([...store.getState().selection]).toEqual(['a']);
  });

  it('keep the place of the keyboard when the node is renamed', async () => {
    const store = await open({ id: 'a', type: 'crop' }, { id: 'b', type: 'crop' });
    const name = find<HTMLInputElement>('input[value="a"]');
    await act(async () => {
      name.focus();
      Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value')?.set?.call(name, 'first');
      name.dispatchEvent(new Event('input', { bubbles: true }));
    });
    await act(async () => {
      name.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', bubbles: true }));
    });
    expect([...store.getState().selection]).toEqual(['first']);
    expect(document.activeElement).toBe(name);
    expect(name.value).toBe('first');
    // Another node has a form of its own.
    await act(async () => store.getState().select(['b']));
    expect(name.isConnected).toBe(false);
  });
});
