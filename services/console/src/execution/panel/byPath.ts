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
  return (path.match(/\d+/g) ?? []).map(Number);
}
