/**
 * The way of a wire past the nodes between its ends. Drawn straight it would vanish behind them and seem to come out of their
 * ports; so it goes over or under them, along a lane.
 */
import type { Position } from './places';

export interface Box {
  id: string;
  x: number;
  y: number;
  width: number;
  height: number;
}

/** A stretch of a wire that runs level, at `y`, from `left` to `right`. */
export interface Lane {
  y: number;
  left: number;
  right: number;
}

/** Between a lane and the nodes it passes, and between lanes side by side. */
const CLEAR = 10;
const APART = 5;
const LANES = 3;
/** What a wire needs at its ends to get to its lane. */
const BEND = 24;
const SAMPLES = 24;

/** The lane that a wire takes; null where nothing is in its way. `order` keeps wires that take the same way apart. */
export function laneOf(from: Position, to: Position, boxes: readonly Box[], order = 0): Lane | null {
  const [x1, x2] = [from[0], to[0]];
  if (x2 - x1 < 2 * BEND) return null;
  const between = boxes.filter(box => box.x < x2 && box.x + box.width > x1);
  if (!between.some(box => crosses(from, to, box))) return null;
  const left = Math.max(x1 + BEND, Math.min(...between.map(box => box.x)));
  const right = Math.min(x2 - BEND, Math.max(...between.map(box => box.x + box.width)));
  if (right <= left) return null;
  const off = CLEAR + (order % LANES) * APART;
  const isFree = (y: number) => between.every(box => y <= box.y - CLEAR || y >= box.y + box.height + CLEAR);
  const detour = (y: number) => Math.abs(y - from[1]) + Math.abs(y - to[1]);
  const free = between.flatMap(box => [box.y - off, box.y + box.height + off]).filter(isFree);
  // Above the uppermost nothing is in the way, so that there is always one.
  const y = free.reduce((best, one) => (detour(one) < detour(best) ? one : best));
  return { y, left, right };
}

/** Whether the plain curve from `from` to `to` touches the box. */
function crosses(from: Position, to: Position, box: Box): boolean {
  const middle = (from[0] + to[0]) / 2;
  for (let step = 1; step < SAMPLES; step += 1) {
    const at = step / SAMPLES;
    const x = bezier(from[0], middle, middle, to[0], at);
    const y = bezier(from[1], from[1], to[1], to[1], at);
    const inside = x > box.x && x < box.x + box.width && y > box.y && y < box.y + box.height;
    if (inside) return true;
  }
  return false;
}

function bezier(a: number, b: number, c: number, d: number, at: number): number {
  const rest = 1 - at;
  return rest ** 3 * a + 3 * rest ** 2 * at * b + 3 * rest * at ** 2 * c + at ** 3 * d;
}

/** The wire as an SVG path. */
export function lanePath(from: Position, to: Position, { y, left, right }: Lane): string {
  const curve = ([x1, y1]: Position, [x2, y2]: Position) => {
    const middle = (x1 + x2) / 2;
    return `C${middle},${y1} ${middle},${y2} ${x2},${y2}`;
  };
  return `M${from.join()} ${curve(from, [left, y])} L${right},${y} ${curve([right, y], to)}`;
}
