/** Which loop a node is in: what runs once per item, and so how often it will run. */
import type { Definition } from '~/api/types';
import { blockName, edgesOf } from './selectors';

/** The innermost `for_each` around each node that is in one. */
export function loopsOf(definition: Definition): Map<string, string> {
  const types = new Map(definition.nodes.map(node => [node.id, blockName(node.type)]));
  const after = new Map<string, string[]>();
  for (const edge of edgesOf(definition))
    after.set(edge.source, [...(after.get(edge.source) ?? []), edge.target]);
  const loops = new Map<string, string>();
  // An inner loop comes after the one around it and so has the last word.
  for (const { id } of definition.nodes.filter(node => blockName(node.type) === 'for_each')) {
    const waiting = [...(after.get(id) ?? [])];
    const seen = new Set<string>();
    for (let node = waiting.pop(); node !== undefined; node = waiting.pop()) {
      const ends = types.get(node) === 'collect';
      if (seen.has(node) || ends) continue;
      seen.add(node);
      if (!isInside(loops.get(node), id, loops)) loops.set(node, id);
      waiting.push(...(after.get(node) ?? []));
    }
  }
  return loops;
}

/** Whether the loop `known` is itself somewhere inside the loop `id`. */
function isInside(known: string | undefined, id: string, loops: ReadonlyMap<string, string>): boolean {
  for (let loop = known; loop !== undefined; loop = loops.get(loop)) {
    if (loop !== known && loop === id) return true;
  }
  return false;
}
