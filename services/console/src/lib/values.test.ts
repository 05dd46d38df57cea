import { describe, expect, it } from 'vitest';
import { thumbnailUrl } from './values';

describe('thumbnailUrl', () => {
  const image = (width: number, height: number) => ({
    kind: 'image' as const,
    blob: 'aa',
    width,
    height,
    format: 'jpeg',
  });

  it('asks for the smallest copy whose longer side is long enough', () => {
    expect(thumbnailUrl(image(4000, 3000), 92)).toBe('/api/v1/blobs/aa/thumbnail?w=256');
    expect(thumbnailUrl(image(4000, 3000), 200)).toBe('/api/v1/blobs/aa/thumbnail?w=512');
    expect(thumbnailUrl(image(3000, 4000), 256)).toBe('/api/v1/blobs/aa/thumbnail?w=256');
  });

  it('takes the picture itself where a copy saves nothing', () => {
    for (const [picture, height] of [
      [image(512, 384), 32],
      [image(900, 700), 600],
      [image(4000, 3000), 2000],
    ] as const) {
      expect(thumbnailUrl(picture, height)).toBe('/api/v1/blobs/aa');
    }
  });
});
