/** Paths are read once: a list of a thousand items is put in order again with every frame. */
const READ = new Map<string, number[]>();
const MOST_READ = 50_000;

/** Orders paths such as `[3,0]` by their numbers. */
export function byPath(a: string, b: string): number {
  const [left, right] = [numbers(a), numbers(b)];
  for (let at = 0; at < Math.max(left.length, right.length); at += 1) {
    const difference = (left[at] ?? -1) - (right[at] ?? -1);
    if (difference !== 0) return difference;
  }
  return 0;
}

function numbers(path: string): number[] {
  const known = READ.get(path);
  if (known) return known;
  if (READ.size >= MOST_READ) READ.clear();
  const read = (path.match(/\d+/g) ?? []).map(Number);
  READ.set(path, read);
  return read;
}
