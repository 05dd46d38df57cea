/** Kinds of values: which fits where, as the compiler has it, and the colour each is drawn in. */
import { entryOf } from '~/lib/json';

const PLAIN = new Set(['string', 'integer', 'float', 'boolean', 'timestamp']);

/** The kind of one element of `list<…>`; null for anything else. */
export function elementOf(kind: string): string | null {
  return kind.startsWith('list<') && kind.endsWith('>') ? kind.slice(5, -1) : null;
}

/** Whether a value of kind `have` may stand where `wanted` is asked for. */
export function fits(have: string, wanted: string): boolean {
  if (have === wanted || wanted === 'any' || have === 'any') return true;
  if (have === 'integer' && wanted === 'float') return true;
  const [inner, wantedInner] = [elementOf(have), elementOf(wanted)];
  if (inner !== null && wantedInner !== null) return fits(inner, wantedInner);
  return wanted === 'object' && inner === null && !PLAIN.has(have);
}

const COLOURS: Record<string, string> = {
  image: 'var(--kind-image)',
  detections: 'var(--kind-detections)',
  classification: 'var(--kind-classification)',
  embedding: 'var(--kind-embedding)',
  mask: 'var(--kind-mask)',
  segments: 'var(--kind-mask)',
  string: 'var(--kind-text)',
  timestamp: 'var(--kind-text)',
  integer: 'var(--kind-number)',
  float: 'var(--kind-number)',
  boolean: 'var(--kind-boolean)',
  object: 'var(--kind-object)',
};

/** The colour of a kind; a list has that of its elements. */
export function kindColour(kind: string): string {
  const inner = elementOf(kind);
  return inner === null ? (entryOf(COLOURS, kind) ?? 'var(--kind-any)') : kindColour(inner);
}
