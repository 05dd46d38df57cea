import type { Viewport } from '@xyflow/react';
import type { Box } from '../document/places';

interface Room {
  width: number;
  height: number;
}

/** Where there is no room beside the canvas, and the settings lie over its lower part; what is left of it then. */
const NARROW = '(max-width: 62em)';
const ABOVE_SHEET = 0.45;

/** The part of the canvas that can be seen while a node is selected. */
export function besideSettings({ width, height }: Room): Room {
  return { width, height: height * (window.matchMedia(NARROW).matches ? ABOVE_SHEET : 1) };
}

/** What is left free around what was brought into view, in pixels of the screen. */
const MARGIN = 24;

/** Whether any of the box is shown on a canvas of this size. */
export function isSeen(view: Viewport, box: Box, { width, height }: Room): boolean {
  const [x, y] = [box.x * view.zoom + view.x, box.y * view.zoom + view.y];
  return x < width && y < height && x + box.width * view.zoom > 0 && y + box.height * view.zoom > 0;
}

/** The view moved as little as shows the whole box; where there is no room for all of it, its upper left. */
export function intoView(view: Viewport, box: Box, { width, height }: Room): Viewport {
  const along = (shift: number, from: number, length: number, room: number): number => {
    const start = from * view.zoom + shift;
    const end = start + length * view.zoom;
    const back = Math.max(0, end - (room - MARGIN));
    return shift - back + Math.max(0, MARGIN - (start - back));
  };
  return {
    zoom: view.zoom,
    x: along(view.x, box.x, box.width, width),
    y: along(view.y, box.y, box.height, height),
  };
}
