/** Opens a workflow in the editor: as it is saved, or as it was left. */
import type { Definition, WorkflowRecord } from '~/api/types';
import type { Catalogue } from '~/graph/ports';
import { sameJson } from '~/lib/json';
import { readDraft } from '~/workflows/draft';
import { startingPoint } from '~/workflows/start';
import { createEditor, type EditorStore } from './store';

const EMPTY: Definition = { name: 'untitled', nodes: [] };

/** `record` is null for a new workflow; `place` is where its draft and its start are kept. */
export function openEditor(place: string, record: WorkflowRecord | null, catalogue: Catalogue): EditorStore {
  const definition = record?.definition ?? startingPoint(place) ?? EMPTY;
  const store = createEditor(definition, record, catalogue);
  const draft = readDraft(place);
  if (draft && !sameJson(draft.definition, definition)) store.getState().resume(draft);
  return store;
}
