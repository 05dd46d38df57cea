import { paste, type Clip } from './document/clip';
import type { EditorStore } from './store';

/** Puts a clip on the canvas, as one step of undo, and selects it. */
export function insert(store: EditorStore, clip: Clip): void {
  if (clip.nodes.length === 0) return;
  const { change, select } = store.getState();
  let added: string[] = [];
  change(before => {
    const { definition, ids } = paste(before, clip);
    added = ids;
    return definition;
  });
  select(added);
}
