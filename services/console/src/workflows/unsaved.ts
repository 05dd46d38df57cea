/** Work in this tab that is not saved, for those who are about to end it and do not know whose it is. */
import { hasDrafts } from './draft';

export interface Keeper {
  hasWork(): boolean;
  /** The user leaves the work: it is neither kept nor asked for again. */
  giveUp(): void;
}

export const LEAVE_QUESTION = 'There are changes that were not saved. Leave them?';

const keepers = new Set<Keeper>();

/** Has `keeper` asked for its work until the function that is returned is called. */
export function keepWork(keeper: Keeper): () => void {
  keepers.add(keeper);
  return () => keepers.delete(keeper);
}

/** Whether all work may be ended. The user is asked where that costs something. */
export function mayLeaveWork(): boolean {
  // All of them: each takes over first what is still being typed. Work whose page was left is a draft.
  const answers = [...keepers].map(keeper => keeper.hasWork());
  const hasWork = answers.includes(true) || hasDrafts();
  return !hasWork || window.confirm(LEAVE_QUESTION);
}

export function giveUpWork(): void {
  keepers.forEach(keeper => keeper.giveUp());
}
