/** What is said of the events that are listed: of what was read, and no more. */
import { formatCount } from '~/lib/format';
import type { RunEvents } from './useEvents';

export const KINDS = [
  { value: 'durable', label: 'Recorded' },
  { value: 'all', label: 'With live ones' },
  { value: 'problems', label: 'Problems' },
] as const;

export type Kind = (typeof KINDS)[number]['value'];

interface Listed {
  extent: RunEvents['extent'];
  /** How many were read. */
  read: number;
}

/** How many are shown; nothing where none could be read. */
export function countOf(shown: number, { extent, read }: Listed): string {
  if (extent === 'complete') return `${formatCount(shown)} events`;
  if (extent === 'growing') return `${formatCount(shown)} events so far`;
  return read > 0 ? `${formatCount(shown)} of the first ${formatCount(read)} events` : '';
}

/** Why none is shown. */
export function emptyTitle(kind: Kind, text: string, { extent, read }: Listed): string {
  if (extent === 'failed' && read === 0) return 'The events could not be read';
  if (text) return 'No event matches';
  if (kind !== 'problems') return extent === 'failed' ? 'The events could not be read' : 'No event yet';
  if (extent === 'complete') return 'Nothing went wrong';
  return extent === 'growing' ? 'Nothing went wrong so far' : 'Nothing went wrong in the first events';
}
