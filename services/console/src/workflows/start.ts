/**
 * What a new workflow starts with: nothing, an example, an import, a copy. Each new workflow has a key of its own in its address,
 * so that none begins with what another was begun with. Kept for this tab, over a reload.
 */
import type { Definition } from '~/api/types';
import { clearTab, dropFromTab, keepInTab, readFromTab } from '~/lib/tabStorage';
import { keepDraft } from './draft';

export const NEW_WORKFLOW = '/workflows/new';
/** The key's name in the address. */
export const START = 'start';
const KEPT = 'start/';

/** The address of an empty workflow that nobody has begun yet. */
export function freshAddress(): string {
  return addressOf(freshKey());
}

/** Keeps `definition` as the start of a new workflow, and gives that workflow's address. */
export function startWith(definition: Definition): string {
  const key = freshKey();
  try {
    keepInTab(KEPT + key, definition);
  } catch {
    // No room is left: what older ones began with goes, as they were opened long ago.
    clearTab(KEPT);
    keepInTab(KEPT + key, definition);
  }
  return addressOf(key);
}

/** Keeps work whose workflow is gone as that of a new workflow, and gives that workflow's address. */
export function goOnWith(definition: Definition): string {
  const key = freshKey();
  keepDraft(key, { base: null, definition });
  return addressOf(key);
}

/** What the new workflow of this key starts with; null for an empty one. */
export function startingPoint(key: string): Definition | null {
  return readFromTab<Definition>(KEPT + key);
}

export function forgetStart(key: string): void {
  dropFromTab(KEPT + key);
}

function freshKey(): string {
  return Math.random().toString(36).slice(2, 10);
}

function addressOf(key: string): string {
  return `${NEW_WORKFLOW}?${START}=${key}`;
}
