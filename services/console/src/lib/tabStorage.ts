/** JSON that is kept for this tab, over a reload, and gone with it. Everything of the console's stands under one prefix. */

const PREFIX = 'millrace/';

/** Keeps `value`; throws where the browser has no room for it. */
export function keepInTab(name: string, value: unknown): void {
  sessionStorage.setItem(PREFIX + name, JSON.stringify(value));
}

export function readFromTab<T>(name: string): T | null {
  const text = sessionStorage.getItem(PREFIX + name);
  if (text === null) return null;
  try {
    return JSON.parse(text) as T;
  } catch {
    return null;
  }
}

export function dropFromTab(name: string): void {
  sessionStorage.removeItem(PREFIX + name);
}

/** Whether anything is kept under a name that begins so. */
export function holdsInTab(beginning: string): boolean {
  return namesIn(beginning).length > 0;
}

/** Drops all that was kept under names that begin so. */
export function clearTab(beginning = ''): void {
  namesIn(beginning).forEach(name => sessionStorage.removeItem(name));
}

/** As the browser has them, with the prefix. */
function namesIn(beginning: string): string[] {
  const names = Array.from({ length: sessionStorage.length }, (_, at) => sessionStorage.key(at) ?? '');
  return names.filter(name => name.startsWith(PREFIX + beginning));
}
