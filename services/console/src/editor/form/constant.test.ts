import { describe, expect, it } from 'vitest';
import { readConstant, writeConstant } from './constant';

describe('a constant', () => {
  it('is what was typed', () => {
    const read = ['-0.5', '1.05', '0.05', 'true', 'true story', '05', '[1]', '"5"', '$nodes.a.b', 'plain'];
    expect(read.map(readConstant)).toEqual([
      -0.5,
      1.05,
      0.05,
      true,
      'true story',
      '05',
      [1],
      '5',
      '$nodes.a.b',
      'plain',
    ]);
  });

  it('is read as what it was written for', () => {
    for (const value of [
      '5',
      'true',
      '"quoted"',
      'plain',
      '$nodes.a.b',
      '$$5',
      5,
      -0.5,
      null,
      [1, 'a'],
      { a: 1 },
    ])
      expect(readConstant(writeConstant(value))).toEqual(value);
    expect(writeConstant('5')).toBe('"5"');
    expect(writeConstant('true story')).toBe('true story');
  });
});
