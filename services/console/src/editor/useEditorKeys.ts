import { useReactFlow } from '@xyflow/react';
import { useMemo } from 'react';
import { isTyping } from '~/app/useGoShortcuts';
import { isCovered } from '~/lib/covered';
import { notifyProblem } from '~/ui/notify';
import { copyNodes, readClip, writeClip } from './document/clip';
import { insert } from './insert';
import { useEditorStore } from './store';
import { useLayout } from './useLayout';
import type { Save } from './useSave';

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
    const withControl: Record<string, (event: KeyboardEvent) => void> = {
      s: event => {
        if (!event.repeat) run();
      },
      z: event => (event.shiftKey ? store.getState().redo() : store.getState().undo()),
      y: () => store.getState().redo(),
      d: () => insert(store, copyNodes(store.getState().history.present, store.getState().selection)),
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
      // Saving works from anywhere; in a field and under a dialog the other keys are not the canvas's.
      if ((isTyping(event.target) || isCovered()) && !(control && key === 's')) return;
      const action = control ? withControl[key] : event.altKey || event.shiftKey ? undefined : alone[key];
      if (!action) return;
      event.preventDefault();
      action(event);
    };
    const onCopy = (event: ClipboardEvent): void => {
      const { selection, history } = store.getState();
      if (isTyping(event.target) || isCovered()) return;
      if (selection.size === 0 || window.getSelection()?.toString()) return;
      event.clipboardData?.setData('text/plain', writeClip(copyNodes(history.present, selection)));
      event.preventDefault();
    };
    const onPaste = (event: ClipboardEvent): void => {
      if (isTyping(event.target) || isCovered()) return;
      const pasted = readClip(event.clipboardData?.getData('text/plain') ?? '');
      if (!pasted) return;
      event.preventDefault();
      if ('clip' in pasted) insert(store, pasted.clip);
      else notifyProblem('It was not pasted', pasted.fault);
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
