/** How a picture becomes the tensor of a model that is run as plain tensors: as it is written in the form, and as it is sent. */
import type { ImageInput } from '~/api/types';

export interface Picture {
  /** The graph’s input; empty where it has but one. */
  input: string;
  /** Pixels; a text while it is being written. */
  width: number | string;
  height: number | string;
  /** What samples of 0 to 255 are multiplied by; empty for 1/255. */
  scale: string;
  /** Of red, green and blue; empty for none. */
  mean: string;
  std: string;
  layout: NonNullable<ImageInput['layout']>;
  channels: NonNullable<ImageInput['channels']>;
}

export const PICTURE: Picture = {
  input: '',
  width: '',
  height: '',
  scale: '',
  mean: '',
  std: '',
  layout: 'nchw',
  channels: 'rgb',
};

/** As the api takes it; what it leaves to the server is left out. */
export function imageInput(picture: Picture): ImageInput {
  const { layout, channels } = picture;
  const [input, scale] = [picture.input.trim(), picture.scale.trim()];
  const [mean, std] = [colours('mean', picture.mean), colours('standard deviation', picture.std)];
  return {
    size: [side('width', picture.width), side('height', picture.height)],
    ...(input !== '' && { input }),
    ...(scale !== '' && { scale: number('scale', scale) }),
    ...(mean !== null && { mean }),
    ...(std !== null && { std }),
    ...(layout !== PICTURE.layout && { layout }),
    ...(channels !== PICTURE.channels && { channels }),
  };
}

function side(name: string, value: number | string): number {
  const pixels = Number(value);
  if (value === '' || !Number.isInteger(pixels) || pixels < 1)
    throw new Error(`The picture’s ${name} is a whole number of pixels`);
  return pixels;
}

/** A number, or a quotient, as it is often written: `1/255`. */
function number(name: string, text: string): number {
  const [over, under = '1', ...more] = text.split('/').map(part => part.trim());
  const found = over === '' || under === '' || more.length > 0 ? NaN : Number(over) / Number(under);
  if (!Number.isFinite(found)) throw new Error(`The picture’s ${name} is a number, as in 0.5 or 1/255`);
  return found;
}

/** One number for each colour, as code has them: `[0.485, 0.456, 0.406]`, with or without what stands between. */
function colours(name: string, text: string): number[] | null {
  const written = text.replace(/^\s*[[(]|[\])]\s*$/g, '').trim();
  if (written === '') return null;
  const numbers = written.split(/\s*,\s*|\s+/).map(part => number(name, part));
  if (numbers.length !== 3)
    throw new Error(
      `The picture’s ${name} has three numbers, for red, green and blue, not ${numbers.length}`,
    );
  return numbers;
}
