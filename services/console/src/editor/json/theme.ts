import { HighlightStyle, syntaxHighlighting } from '@codemirror/language';
import type { Extension } from '@codemirror/state';
import { EditorView } from '@codemirror/view';
import { tags } from '@lezer/highlight';

/** The console's colours for code, in both schemes. */
export const codeTheme: Extension = [
  EditorView.theme({
    '&': { height: '100%', fontSize: '12px', backgroundColor: 'var(--surface)', color: 'var(--ink)' },
    '.cm-scroller': { fontFamily: 'var(--mantine-font-family-monospace)', lineHeight: '1.6' },
    '.cm-gutters': { backgroundColor: 'var(--surface)', color: 'var(--ink-faint)', border: 'none' },
    '.cm-activeLine, .cm-activeLineGutter': {
      backgroundColor: 'color-mix(in srgb, var(--accent) 7%, transparent)',
    },
    '.cm-cursor': { borderLeftColor: 'var(--ink)' },
    '&.cm-focused .cm-selectionBackground, .cm-selectionBackground': {
      backgroundColor: 'color-mix(in srgb, var(--accent) 25%, transparent) !important',
    },
    '.cm-tooltip': {
      backgroundColor: 'var(--surface-raised)',
      border: '1px solid var(--line-strong)',
      color: 'var(--ink)',
    },
    '.cm-changedLine': { backgroundColor: 'color-mix(in srgb, var(--accent) 10%, transparent) !important' },
  }),
  syntaxHighlighting(
    HighlightStyle.define([
      { tag: tags.propertyName, color: 'var(--accent)' },
      { tag: tags.string, color: 'var(--state-completed)' },
      { tag: tags.number, color: 'var(--kind-number)' },
      { tag: [tags.bool, tags.null], color: 'var(--kind-boolean)' },
    ]),
  ),
];
