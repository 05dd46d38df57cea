/** Why a picture was not shown: the browser says only that it was not. */
import { API } from '~/api/request';
import { rest } from '~/lib/rest';

/** Before it is tried once more; then twice as long, and so on. */
export const AGAIN_MS = 2_000;
const LONGEST_MS = 60_000;
/** With the pauses between them some ten minutes. */
const MOST_TRIES = 14;

/** `gone`: it is not there. `odd`: it is there, and nothing that can be shown. `away`: the server did not give it. */
export type Fate = 'gone' | 'odd' | 'away';

/** Whether it is one of the server's: of others nobody may ask. */
export function isOurs(source: string): boolean {
  return source.startsWith(`${API}/`);
}

export async function fateOf(source: string, signal: AbortSignal): Promise<Fate> {
  const answer = await fetch(source, { method: 'HEAD', signal }).catch(() => null);
  if (answer?.ok) return 'odd';
  return answer && [404, 410].includes(answer.status) ? 'gone' : 'away';
}

/** Waits until the server has something to say of it again: whether to try it once more. */
export async function isBack(source: string, signal: AbortSignal): Promise<boolean> {
  for (let tries = 0; tries < MOST_TRIES; tries += 1) {
    await rest(Math.min(AGAIN_MS * 2 ** tries, LONGEST_MS), signal);
    if (signal.aborted) return false;
    if ((await fateOf(source, signal)) !== 'away') return !signal.aborted;
  }
  return false;
}
