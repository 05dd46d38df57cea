/**
 * Colours of classes: those that the block `draw_boxes` gives them, so that a class looks the same on a picture that was drawn and in
 * the viewer. `drawn.json` has examples of them, which a test of `shared/vision` draws.
 */
import type { Detection } from '~/lib/values';

export type Class = Pick<Detection, 'class_id' | 'class_name'>;
type Rgb = [number, number, number];

const PALETTE: readonly Rgb[] = [
  [255, 64, 87],
  [0, 158, 235],
  [255, 176, 0],
  [24, 176, 88],
  [155, 81, 224],
  [255, 115, 38],
  [0, 186, 182],
  [233, 66, 190],
  [140, 190, 28],
  [72, 98, 240],
  [178, 92, 44],
  [252, 226, 5],
  [112, 214, 255],
  [196, 24, 54],
  [0, 118, 84],
  [255, 154, 178],
  [94, 60, 168],
  [182, 226, 122],
  [128, 128, 140],
  [20, 78, 148],
];

/** Red, green, blue, 0 to 255. */
export function classRgb(of: Class): Rgb {
  return PALETTE[keyOf(of)] ?? [0, 0, 0];
}

/** The class's index, round and round; for classes without one a number made from the name. */
function keyOf({ class_id, class_name }: Class): number {
  if (class_id >= 0) return Math.trunc(class_id) % PALETTE.length;
  // FNV-1a.
  let hash = 0xcbf29ce484222325n;
  for (const byte of new TextEncoder().encode(class_name)) {
    hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n);
  }
  return Number((hash >> 1n) % BigInt(PALETTE.length));
}

export function classColour(of: Class): string {
  return `rgb(${classRgb(of).join(' ')})`;
}

/** Black and white can be told equally well from a ground of this luminance, by 4.58 to 1. */
const MIDDLE = 0.179;

/** The ink in which words on the class's colour can be read. */
export function classInk(of: Class): string {
  return luminance(classRgb(of)) < MIDDLE ? '#ffffff' : '#000000';
}

/** How light a colour is, 0 to 1 (WCAG 2). */
export function luminance(rgb: Rgb): number {
  const [red, green, blue] = rgb.map(channel => {
    const share = channel / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  }) as Rgb;
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}
