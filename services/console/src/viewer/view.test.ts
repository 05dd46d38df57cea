import { expect, it } from 'vitest';
import { movedBy, pinched, WHOLE, zoomedAt, type Place, type View } from './view';

/** Where a place of the picture is on the screen. */
const shown = (view: View, at: Place): Place => ({
  x: view.x + at.x * view.zoom,
  y: view.y + at.y * view.zoom,
});
/** Which place of the picture is there on the screen. */
const under = (view: View, at: Place): Place => ({
  x: (at.x - view.x) / view.zoom,
  y: (at.y - view.y) / view.zoom,
});

it('zooms around a place, which stays where it is', () => {
  const at = { x: 30, y: -12 };
  const once = zoomedAt(WHOLE, 2, at);
  expect(shown(once, at)).toEqual(at);
  const before = under(once, { x: 5, y: 5 });
  const after = under(zoomedAt(once, 1.5, { x: 5, y: 5 }), { x: 5, y: 5 });
  expect(after.x).toBeCloseTo(before.x);
  expect(after.y).toBeCloseTo(before.y);
});

it('shows no less than the whole picture, and that in its place', () => {
  const near = movedBy(zoomedAt(WHOLE, 100, { x: 1, y: 1 }), { x: 40, y: 2 });
  expect(near.zoom).toBe(24);
  expect(zoomedAt(near, 0.001, { x: 9, y: 9 })).toEqual(WHOLE);
  expect(movedBy(WHOLE, { x: 9, y: 9 })).toEqual(WHOLE);
});

it('follows two fingers', () => {
  const before = [
    { x: -10, y: 0 },
    { x: 10, y: 0 },
  ] as const;
  const apart = [
    { x: -30, y: 0 },
    { x: 30, y: 0 },
  ] as const;
  const near = pinched(WHOLE, before, apart);
  expect(near).toEqual({ zoom: 3, x: 0, y: 0 });
  const aside = apart.map(({ x, y }) => ({ x: x + 7, y: y - 4 })) as [Place, Place];
  expect(pinched(near, apart, aside)).toEqual({ zoom: 3, x: 7, y: -4 });
});
