/** Undo and redo: whole definitions, which share what they have in common. */
import type { Definition } from '~/api/types';

export interface History {
  readonly past: readonly Definition[];
  readonly present: Definition;
  readonly future: readonly Definition[];
  /** What the last change was about; the next of the same name joins it, so that typing is one step. */
  readonly join: string | null;
  readonly at: number;
}

const MOST_STEPS = 200;
const JOIN_WITHIN_MS = 1_200;

export function begin(definition: Definition): History {
  return { past: [], present: definition, future: [], join: null, at: 0 };
}

/** The history after a change at time `now`; `join` names changes that belong together. */
export function record(history: History, next: Definition, join: string | null, now: number): History {
  if (next === history.present) return history;
  const joins = join !== null && join === history.join && now - history.at < JOIN_WITHIN_MS;
  const past = joins ? history.past : [...history.past, history.present].slice(-MOST_STEPS);
  return { past, present: next, future: [], join, at: now };
}

export function undo(history: History): History {
  const before = history.past.at(-1);
  if (!before) return history;
  return {
    past: history.past.slice(0, -1),
    present: before,
    future: [history.present, ...history.future],
    join: null,
    at: 0,
  };
}

export function redo(history: History): History {
  const [after, ...future] = history.future;
  if (!after) return history;
  return { past: [...history.past, history.present], present: after, future, join: null, at: 0 };
}
