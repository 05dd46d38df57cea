/**
 * One editing of a workflow, which its first save does not end: the address is another one then, and what is on the canvas, selected
 * and to be undone stays.
 */
import { isObject } from '~/lib/json';

/** What goes along with the address of a workflow that was new at `place` until now. */
export function savedFrom(place: string): { keep: true; editing: string } {
  return { keep: true, editing: place };
}

/** What tells the editing at `place` from others. `state` is that of the page's address. */
export function editingAt(place: string, state: unknown): string {
  return isObject(state) && typeof state.editing === 'string' ? state.editing : place;
}
