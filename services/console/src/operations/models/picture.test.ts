import { describe, expect, it } from 'vitest';
import { imageInput, PICTURE } from './picture';

const square = { ...PICTURE, width: 224, height: 224 };

describe('how a picture becomes a tensor', () => {
  it('says no more than is written', () => {
    expect(imageInput({ ...square, width: '320' })).toEqual({ size: [320, 224] });
  });

  it('is written as it stands in code', () => {
    const written = imageInput({
      input: ' pixel_values ',
      width: 640,
      height: 480,
      scale: '1/255',
      mean: '[0.485, 0.456, 0.406]',
      std: '0.229 0.224,0.225',
      layout: 'nhwc',
      channels: 'bgr',
    });
    expect(written).toEqual({
      input: 'pixel_values',
      size: [640, 480],
      scale: 1 / 255,
      mean: [0.485, 0.456, 0.406],
      std: [0.229, 0.224, 0.225],
      layout: 'nhwc',
      channels: 'bgr',
    });
  });

  it('is refused where it is not clear', () => {
    const refused = (change: object, why: string) =>
      expect(() => imageInput({ ...square, ...change }), JSON.stringify(change)).toThrow(why);
    refused({ width: '' }, 'width is a whole number');
    refused({ height: 0.5 }, 'height is a whole number');
    refused({ scale: '1/0' }, 'scale is a number');
    refused({ scale: '1/2/3' }, 'scale is a number');
    refused({ mean: '0.5' }, 'three numbers, for red, green and blue, not 1');
    refused({ std: 'a, b, c' }, 'standard deviation is a number');
  });
});
