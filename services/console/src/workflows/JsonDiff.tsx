import { json } from '@codemirror/lang-json';
import { MergeView } from '@codemirror/merge';
import { EditorState } from '@codemirror/state';
import { EditorView, lineNumbers } from '@codemirror/view';
import { useEffect, useRef } from 'react';
import { codeTheme } from '~/editor/json/theme';

/** Two texts side by side, what is the same folded away. */
export default function JsonDiff({ before, after }: { before: string; after: string }) {
  const holder = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (!holder.current) return;
    const side = (doc: string, label: string) => ({
      doc,
      extensions: [
        lineNumbers(),
        json(),
        codeTheme,
        EditorView.contentAttributes.of({ 'aria-label': label, tabindex: '0' }),
        EditorView.editable.of(false),
        EditorState.readOnly.of(true),
        EditorView.lineWrapping,
      ],
    });
    const view = new MergeView({
      parent: holder.current,
      a: side(before, 'Before'),
      b: side(after, 'After'),
      collapseUnchanged: { margin: 3, minSize: 5 },
    });
    return () => view.destroy();
  }, [before, after]);
  return <div ref={holder} style={{ maxHeight: 520, overflow: 'auto' }} />;
}
