import { describe, expect, it } from 'vitest';
import { laneOf, lanePath } from './lanes';

const box = (id: string, x: number, y: number, width = 200, height = 100) => ({ id, x, y, width, height });

describe('a wire', () => {
  it('goes straight where nothing is in its way, and back', () => {
    expect(laneOf([0, 0], [600, 0], [])).toBeNull();
    expect(laneOf([0, 0], [600, 0], [box('below', 200, 20), box('beyond', 700, -50)])).toBeNull();
    expect(laneOf([600, 0], [0, 0], [box('between', 200, -50)])).toBeNull();
  });

  it('goes past a node on the shorter side', () => {
    expect(laneOf([0, 0], [600, 0], [box('a', 200, -20)])).toEqual({ y: -30, left: 200, right: 400 });
    expect(laneOf([0, 0], [600, 0], [box('a', 200, -80)])).toEqual({ y: 30, left: 200, right: 400 });
  });

  it('takes a lane that is free all along, and one beside it for the next wire', () => {
    const column = [box('a', 200, -50), box('b', 450, -170), box('c', 450, 60)];
    const lane = laneOf([0, 0], [900, 0], column);
    expect(lane).toMatchObject({ left: 200, right: 650 });
    for (const { y, height } of column)
      expect(lane && (lane.y <= y - 10 || lane.y >= y + height + 10)).toBe(true);
    const next = laneOf([0, 0], [900, 0], column, 1);
    expect(next?.y).not.toBe(lane?.y);
  });

  it('keeps room at its ends to get there', () => {
    const lane = laneOf([0, 0], [260, 0], [box('a', -100, -20, 500)]);
    expect(lane).toMatchObject({ left: 24, right: 236 });
    const path = lanePath([0, 0], [260, 0], { y: -30, left: 24, right: 236 });
    expect(path).toBe('M0,0 C12,0 12,-30 24,-30 L236,-30 C248,-30 248,0 260,0');
  });
});
