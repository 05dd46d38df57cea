/** Colours of classes: far apart for neighbours, and the same for a class wherever it is shown. */

/** The golden angle spreads any number of hues evenly. */
const GOLDEN_ANGLE = 137.508;

export function classHue(classId: number): number {
  return Math.round(((Math.max(0, classId) * GOLDEN_ANGLE + 205) % 360) * 10) / 10;
}

export function classColour(classId: number): string {
  return `hsl(${classHue(classId)} 85% 52%)`;
}

/** The same colour as red, green, blue, 0 to 255. */
export function classRgb(classId: number): [number, number, number] {
  const [hue, saturation, lightness] = [classHue(classId), 0.85, 0.52];
  const chroma = saturation * Math.min(lightness, 1 - lightness);
  const channel = (offset: number): number => {
    const k = (offset + hue / 30) % 12;
    return Math.round(255 * (lightness - chroma * Math.max(-1, Math.min(k - 3, 9 - k, 1))));
  };
  return [channel(0), channel(8), channel(4)];
}

/** Black and white can be told equally well from a ground of this luminance, by 4.58 to 1. */
const MIDDLE = 0.179;

/** The ink in which words on the class's colour can be read. */
export function classInk(classId: number): string {
  return luminance(classRgb(classId)) < MIDDLE ? '#ffffff' : '#000000';
}

/** How light a colour is, 0 to 1 (WCAG 2). */
export function luminance(rgb: [number, number, number]): number {
  const [red, green, blue] = rgb.map(channel => {
    const share = channel / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  }) as [number, number, number];
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}
