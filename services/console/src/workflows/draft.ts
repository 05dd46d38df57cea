/**
 * Work that is not saved: kept for this tab while its workflow is left for a run, a login or a reload. Each is kept by the place
 * where it is edited, which is the id of the saved workflow or the key of the new one.
 */
import type { Definition } from '~/api/types';
import { clearTab, dropFromTab, holdsInTab, keepInTab, readFromTab } from '~/lib/tabStorage';

const KEPT = 'draft/';

export interface Draft {
  /** The version it began with; null where none was saved yet. */
  base: number | null;
  definition: Definition;
}

export function keepDraft(place: string, draft: Draft): void {
  try {
    keepInTab(KEPT + place, draft);
  } catch {
    // Without room for it the question before leaving is what remains; an older draft is none of what is on the canvas.
    dropFromTab(KEPT + place);
  }
}

export function readDraft(place: string): Draft | null {
  return readFromTab<Draft>(KEPT + place);
}

export function dropDraft(place: string): void {
  dropFromTab(KEPT + place);
}

/** Whether there is work of any workflow's: a draft goes with the last of its work. */
export function hasDrafts(): boolean {
  return holdsInTab(KEPT);
}

/** Leaves nothing for whoever logs in next. */
export function forgetWork(): void {
  clearTab();
}
