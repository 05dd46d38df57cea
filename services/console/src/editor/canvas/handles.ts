/** Names of the ends of wires. Places deeper than a port or a setting share the end of that port or setting. */

export function sourceHandle(port: string): string {
  return `out:${port}`;
}

export function targetHandle(place: readonly string[]): string {
  return `in:${place.slice(0, 2).join('/')}`;
}

/** The handle that makes a further input. */
export const FURTHER = 'in:inputs/+';

export function portOf(handle: string | null | undefined): string | null {
  return handle?.startsWith('out:') ? handle.slice(4) : null;
}

export function placeOf(handle: string | null | undefined): string[] | null {
  return handle?.startsWith('in:') ? handle.slice(3).split('/') : null;
}
