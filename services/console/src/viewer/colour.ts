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
