/** Where a run of unsaved work was started, so that one gets back there: it goes along with the address of the run's page. */
import type { Definition } from '~/api/types';
import { isObject } from '~/lib/json';
import { keepDraft, readDraft } from '~/workflows/draft';

export interface Origin {
  address: string;
  /** Where the editor's draft is kept. */
  place: string;
  /** The version that the work began with. */
  base: number | null;
}

/** The origin in the state of a page's address, if it has one. */
export function originIn(state: unknown): Origin | null {
  if (!isObject(state) || !isObject(state.origin)) return null;
  return state.origin as unknown as Origin;
}

/** Has `definition`, which the run walked, ready at the origin, unless the work there has gone on. */
export function readyAt({ place, base }: Origin, definition: Definition): void {
  if (!readDraft(place)) keepDraft(place, { base, definition });
}
