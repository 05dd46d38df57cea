import { useReactFlow } from '@xyflow/react';
import { useMemo } from 'react';
import { isTyping } from '~/app/useGoShortcuts';
import { copyNodes, paste, type Clip } from './document/edit';
import { useEditorStore } from './store';
import { useLayout } from './useLayout';
import type { Save } from './useSave';

const STEP = 40;

interface Options {
  save: Save;
  onRun(): void;
}

/** The editor's keys. Copies live in the system's clipboard, as JSON, so that they travel between workflows and tabs. */
export function useEditorKeys({ save, onRun }: Options): { listen(): () => void } {
  const store = useEditorStore();
  const flow = useReactFlow();
  const { layOut } = useLayout();
  const { run } = save;
  return useMemo(() => {
    const put = (clip: Clip): void => {
      if (clip.nodes.length === 0) return;
      const { change, select, history } = store.getState();
      const { definition, ids } = paste(history.present, clip, [STEP, STEP]);
      change(() => definition);
      select(ids);
    };
    const withControl: Record<string, (event: KeyboardEvent) => void> = {
      s: event => {
        if (!event.repeat) run();
      },
      z: event => (event.shiftKey ? store.getState().redo() : store.getState().undo()),
      y: () => store.getState().redo(),
      d: () => put(copyNodes(store.getState().history.present, store.getState().selection)),
      a: () => store.getState().select(store.getState().nodes.keys()),
    };
    const alone: Record<string, () => void> = {
      l: layOut,
      r: onRun,
      f: () => void flow.fitView({ duration: 250, padding: 0.12, maxZoom: 1 }),
    };
    const onKey = (event: KeyboardEvent): void => {
      const key = event.key.toLowerCase();
      const control = event.ctrlKey || event.metaKey;
      // Saving works from anywhere; in a field the other keys are the field's own.
      if (isTyping(event.target) && !(control && key === 's')) return;
      const action = control ? withControl[key] : event.altKey || event.shiftKey ? undefined : alone[key];
      if (!action) return;
      event.preventDefault();
      action(event);
    };
    const onCopy = (event: ClipboardEvent): void => {
      const { selection, history } = store.getState();
      if (isTyping(event.target) || selection.size === 0 || window.getSelection()?.toString()) return;
      event.clipboardData?.setData(
        'text/plain',
        JSON.stringify(copyNodes(history.present, selection), null, 2),
      );
      event.preventDefault();
    };
    const onPaste = (event: ClipboardEvent): void => {
      if (isTyping(event.target)) return;
      const clip = readClip(event.clipboardData?.getData('text/plain') ?? '');
      if (!clip) return;
      event.preventDefault();
      put(clip);
    };
    const listen = (): (() => void) => {
      window.addEventListener('keydown', onKey);
      document.addEventListener('copy', onCopy);
      document.addEventListener('paste', onPaste);
      return () => {
        window.removeEventListener('keydown', onKey);
        document.removeEventListener('copy', onCopy);
        document.removeEventListener('paste', onPaste);
      };
    };
    return { listen };
  }, [store, flow, run, layOut, onRun]);
}

/** Nodes from a text: what the editor copied, or a part of a workflow somebody wrote. */
function readClip(text: string): Clip | null {
  try {
    const value = JSON.parse(text) as Partial<Clip> & { ui?: { positions?: Clip['positions'] } };
    const sound =
      Array.isArray(value.nodes) && value.nodes.length > 0 && value.nodes.every(node => node.id && node.type);
    return sound && value.nodes
      ? { nodes: value.nodes, positions: value.positions ?? value.ui?.positions ?? {} }
      : null;
  } catch {
    return null;
  }
}
