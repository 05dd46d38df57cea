import { expect, it } from 'vitest';
import { firstView } from './useFirstView';

const canvas = { width: 1000, height: 600 };
const box = (x: number, y: number, width: number, height: number) => ({ x, y, width, height });

it('shows all of a workflow that can be read then, in the middle', () => {
  const all = box(100, 100, 400, 200);
  expect(firstView(all, all, canvas)).toEqual({ zoom: 1, x: 200, y: 100 });
  const { zoom, x } = firstView(box(0, 0, 1250, 200), all, canvas);
  expect(zoom).toBeCloseTo(0.72);
  expect(x).toBeCloseTo(50);
});

it('shows the beginning of a long one, and of a tall one what is beside its first node', () => {
  const long = firstView(box(-200, 0, 5000, 100), box(-200, 0, 240, 100), canvas);
  expect(long.zoom).toBe(0.5);
  expect(-200 * long.zoom + long.x).toBeCloseTo(50);
  expect(50 * long.zoom + long.y).toBeCloseTo(300);
  const tall = firstView(box(0, 0, 600, 4000), box(0, 3000, 240, 100), canvas);
  expect(300 * tall.zoom + tall.x).toBeCloseTo(500);
  expect(3050 * tall.zoom + tall.y).toBeCloseTo(300);
});
