import { defaultKeymap, history, historyKeymap, indentWithTab } from '@codemirror/commands';
import { json, jsonParseLinter } from '@codemirror/lang-json';
import { bracketMatching, foldGutter, indentOnInput, syntaxTree } from '@codemirror/language';
import { lintGutter, linter, type Diagnostic } from '@codemirror/lint';
import { EditorState } from '@codemirror/state';
import { drawSelection, EditorView, highlightActiveLine, keymap, lineNumbers } from '@codemirror/view';
import { useEffect, useRef } from 'react';
import { pointerTokens, sameJson } from '~/lib/json';
import { readDefinition } from '~/workflows/useImport';
import type { EditorStore } from '../store';
import { useEditorStore } from '../store';
import classes from './JsonPane.module.css';
import { locate } from './locate';
import { codeTheme } from './theme';

const PAUSE_MS = 300;

/** The workflow as JSON beside the canvas: each follows the other. */
export function JsonPane(_: { onClose(): void }) {
  const store = useEditorStore();
  const holder = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (!holder.current) return;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const settle = (): void => {
      if (timer === undefined) return;
      clearTimeout(timer);
      timer = undefined;
      take(store, view.state.doc.toString());
    };
    const view = new EditorView({
      parent: holder.current,
      state: EditorState.create({
        doc: write(store),
        extensions: [
          lineNumbers(),
          foldGutter(),
          history(),
          drawSelection(),
          indentOnInput(),
          bracketMatching(),
          highlightActiveLine(),
          json(),
          lintGutter(),
          linter(target => [...jsonParseLinter()(target), ...marks(store, target)], {
            needsRefresh: () => true,
            delay: 400,
          }),
          keymap.of([indentWithTab, ...defaultKeymap, ...historyKeymap]),
          EditorView.contentAttributes.of({ 'aria-label': 'The workflow as JSON' }),
          codeTheme,
          EditorView.updateListener.of(update => {
            if (!update.docChanged || !update.view.hasFocus) return;
            clearTimeout(timer);
            timer = setTimeout(settle, PAUSE_MS);
          }),
        ],
      }),
    });
    const forget = store.getState().onSettle(settle);
    const unsubscribe = store.subscribe((state, before) => {
      const changed = state.history.present !== before.history.present;
      if (changed && !sameAs(store, view.state.doc.toString())) {
        view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: write(store) } });
        store.getState().setUntaken(null);
      } else if (state.faults !== before.faults) view.dispatch({});
    });
    return () => {
      settle();
      forget();
      unsubscribe();
      store.getState().setUntaken(null);
      view.destroy();
    };
  }, [store]);
  return <div ref={holder} className={classes.pane} data-testid="json-pane" />;
}

function write(store: EditorStore): string {
  return JSON.stringify(store.getState().history.present, null, 2);
}

/** Takes the text over when it is a workflow; until then it is untaken, and the marks say where it breaks off. */
function take(store: EditorStore, text: string): void {
  try {
    const next = readDefinition(text);
    if (!sameJson(next, store.getState().history.present)) store.getState().replace(next);
    store.getState().setUntaken(null);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    store.getState().setUntaken(`The JSON beside the canvas is no workflow yet: ${why}`);
  }
}

function sameAs(store: EditorStore, text: string): boolean {
  try {
    return sameJson(JSON.parse(text), store.getState().history.present);
  } catch {
    return false;
  }
}

function marks(store: EditorStore, view: EditorView): Diagnostic[] {
  const { faults } = store.getState();
  const all = [...faults.rest, ...[...faults.byNode.values()].flat()];
  const [tree, text] = [syntaxTree(view.state), view.state.doc.toString()];
  return all.map(fault => ({
    ...locate(tree, text, pointerTokens(fault.pointer)),
    severity: fault.mild ? 'warning' : 'error',
    message: fault.hint ? `${fault.message}\n→ ${fault.hint}` : fault.message,
  }));
}
