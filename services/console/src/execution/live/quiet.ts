/**
 * Why nothing happens: no event tells that a run waits for workers that are not there, its page does. It is looked at while nothing
 * happens, ever more seldom; also where the page is hidden, and has no events: its title tells of the end.
 */
import type { LiveStore } from './store';

/** Nothing has to happen for so long before it is looked; then for twice as long, and so on. */
export const QUIET_MS = 2_000;
/** The longest pause between two looks. */
export const LONG_QUIET_MS = 30_000;

export interface Looker {
  look(): void;
  /** Whether the last look showed what may be over with the next event. */
  isInDoubt(): boolean;
}

/** Looks while nothing happens to the run, until the function that is returned is called. */
export function lookWhileQuiet(store: LiveStore, { look, isInDoubt }: Looker): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let pause = QUIET_MS;
  let due = 0;
  const wait = (): void => {
    clearTimeout(timer);
    due = Date.now() + pause;
    timer = setTimeout(() => {
      look();
      pause = Math.min(pause * 2, LONG_QUIET_MS);
      wait();
    }, pause);
  };
  const unsubscribe = store.subscribe((now, before) => {
    if (now.run === before.run) return;
    pause = QUIET_MS;
    // Events that follow on each other do not put off the look that ends a doubt.
    if (!isInDoubt() || due > Date.now() + QUIET_MS) wait();
  });
  wait();
  return () => {
    clearTimeout(timer);
    unsubscribe();
  };
}
