/** What the next new workflow starts with: an example, an import, a copy. Kept for this tab, over a reload. */
import type { Definition } from '~/api/types';

const KEY = 'millrace-new-workflow';

export function startWith(definition: Definition): void {
  sessionStorage.setItem(KEY, JSON.stringify(definition));
}

export function startingPoint(): Definition | null {
  const text = sessionStorage.getItem(KEY);
  if (!text) return null;
  try {
    return JSON.parse(text) as Definition;
  } catch {
    return null;
  }
}

export function forgetStart(): void {
  sessionStorage.removeItem(KEY);
}
