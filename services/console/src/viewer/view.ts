/** How a picture is looked at: how large, and which part of it. Places are pixels of the screen from the middle of its frame. */

const MOST = 24;

export interface View {
  zoom: number;
  x: number;
  y: number;
}

export interface Place {
  x: number;
  y: number;
}

export const WHOLE: View = { zoom: 1, x: 0, y: 0 };

/** Larger by `factor`, or smaller; what is at `at` stays there. */
export function zoomedAt({ zoom, x, y }: View, factor: number, at: Place): View {
  const next = Math.min(MOST, Math.max(1, zoom * factor));
  if (next === 1) return WHOLE;
  const ratio = next / zoom;
  return { zoom: next, x: at.x - (at.x - x) * ratio, y: at.y - (at.y - y) * ratio };
}

/** The whole picture has nowhere to go. */
export function movedBy(view: View, by: Place): View {
  return view.zoom === 1 ? view : { ...view, x: view.x + by.x, y: view.y + by.y };
}

/** Two fingers went from `before` to `after`: what was between them stays between them. */
export function pinched(view: View, before: readonly [Place, Place], after: readonly [Place, Place]): View {
  const [from, to] = [middle(before), middle(after)];
  const factor = apart(after) / Math.max(1, apart(before));
  return movedBy(zoomedAt(view, factor, from), { x: to.x - from.x, y: to.y - from.y });
}

const middle = ([a, b]: readonly [Place, Place]): Place => ({ x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 });
const apart = ([a, b]: readonly [Place, Place]): number => Math.hypot(a.x - b.x, a.y - b.y);
