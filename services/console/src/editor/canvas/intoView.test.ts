import { expect, it } from 'vitest';
import { intoView, isSeen } from './intoView';

const room = { width: 1000, height: 600 };
const box = (x: number, y: number) => ({ x, y, width: 240, height: 120 });
const view = { x: 0, y: 0, zoom: 1 };

it('moves the view no further than a node needs', () => {
  expect(intoView(view, box(300, 300), room)).toEqual(view);
  expect(intoView(view, box(900, 300), room)).toEqual({ ...view, x: -164 });
  expect(intoView(view, box(-100, 560), room)).toEqual({ zoom: 1, x: 124, y: -104 });
  expect(intoView({ x: 100, y: 0, zoom: 2 }, box(400, 0), room)).toEqual({ x: -304, y: 24, zoom: 2 });
});

it('shows the beginning of what is larger than the canvas', () => {
  expect(intoView(view, box(700, 0), { width: 200, height: 600 })).toEqual({ zoom: 1, x: -676, y: 24 });
});

it('tells what is shown from what is elsewhere', () => {
  expect(isSeen(view, box(-200, 0), room)).toBe(true);
  for (const elsewhere of [box(-240, 0), box(1000, 0), box(0, -120), box(0, 600)])
    expect(isSeen(view, elsewhere, room)).toBe(false);
});
