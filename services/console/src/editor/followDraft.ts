/** Keeps the editor's unsaved work as a draft while it is edited, and drops it once there is none. */
import { dropDraft, keepDraft } from '~/workflows/draft';
import { hasChanges, type EditorStore } from './store';

/** Typing is let finish first. */
const PAUSE_MS = 300;

export interface DraftKeeper {
  /** The work stands somewhere else from now on: a new workflow was saved. */
  moveTo(place: string): void;
  /** The work is given up. */
  drop(): void;
  /** Writes what is left to write, and ends. */
  stop(): void;
}

export function followDraft(store: EditorStore, first: string): DraftKeeper {
  let place = first;
  let givenUp = false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const cancel = (): void => {
    clearTimeout(timer);
    timer = undefined;
  };
  const write = (): void => {
    cancel();
    const state = store.getState();
    if (!givenUp && hasChanges(state))
      keepDraft(place, { base: state.base, definition: state.history.present });
    else dropDraft(place);
  };
  const unsubscribe = store.subscribe((state, before) => {
    if (state.history === before.history && state.saved === before.saved) return;
    cancel();
    timer = setTimeout(write, PAUSE_MS);
  });
  // A page that goes away runs no more timers, and on some devices it asks nobody before.
  const onHide = (): void => {
    store.getState().settle();
    if (timer !== undefined) write();
  };
  window.addEventListener('pagehide', onHide);
  const unfollow = (): void => {
    unsubscribe();
    window.removeEventListener('pagehide', onHide);
  };
  return {
    moveTo(next) {
      dropDraft(place);
      place = next;
      write();
    },
    drop() {
      givenUp = true;
      unfollow();
      write();
    },
    stop() {
      unfollow();
      // Whatever was written before: it may have been taken from under the work meanwhile.
      write();
    },
  };
}
