/** COCO run lengths: column by column, beginning with zeros. */
import type { Rle } from '~/lib/values';

/** Calls `paint` for every run of ones: first pixel counted column by column, and length. */
export function eachRun(mask: Rle, paint: (start: number, length: number) => void): void {
  if (typeof mask.counts === 'string') return;
  let at = 0;
  mask.counts.forEach((length, index) => {
    if (index % 2 === 1 && length > 0) paint(at, length);
    at += length;
  });
}

/** Writes the mask into RGBA pixels of `width` × `height`, where both are the mask's own. */
export function paintMask(
  pixels: Uint8ClampedArray,
  mask: Rle,
  rgb: [number, number, number],
  alpha: number,
): void {
  const [height, width] = mask.size;
  if (pixels.length < width * height * 4) return;
  eachRun(mask, (start, length) => {
    const end = Math.min(start + length, width * height);
    for (let at = start; at < end; at += 1) {
      const offset = ((at % height) * width + Math.floor(at / height)) * 4;
      pixels[offset] = rgb[0];
      pixels[offset + 1] = rgb[1];
      pixels[offset + 2] = rgb[2];
      pixels[offset + 3] = alpha;
    }
  });
}
