/** What lies behind a node: a wire from there to the node would close a circle. */

type Ends = readonly { source: string; target: string }[];

/** Every field of a form asks it of every node: it is found once per document. */
const KNOWN = new WeakMap<Ends, Map<string, ReadonlySet<string>>>();

/** The node itself, and everything that its values reach. */
export function behind(edges: Ends, id: string): ReadonlySet<string> {
  const known = KNOWN.get(edges) ?? new Map<string, ReadonlySet<string>>();
  KNOWN.set(edges, known);
  const found = known.get(id) ?? reach(edges, id);
  known.set(id, found);
  return found;
}

/** Whether a wire from `source` to `target` would close a circle. */
export function closesCircle(edges: Ends, source: string, target: string): boolean {
  return behind(edges, target).has(source);
}

function reach(edges: Ends, id: string): Set<string> {
  const after = new Map<string, string[]>();
  for (const { source, target } of edges) {
    const list = after.get(source);
    if (list) list.push(target);
    else after.set(source, [target]);
  }
  const [seen, waiting] = [new Set<string>(), [id]];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (seen.has(next)) continue;
    seen.add(next);
    waiting.push(...(after.get(next) ?? []));
  }
  return seen;
}
