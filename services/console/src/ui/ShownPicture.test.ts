import { act, createElement } from 'react';
import { createRoot, type Root } from 'react-dom/client';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { ShownPicture } from './ShownPicture';
import { Thumbnail } from './Thumbnail';

let root: Root;
let place: HTMLElement;
beforeEach(() => {
  vi.stubGlobal('IS_REACT_ACT_ENVIRONMENT', true);
  place = document.createElement('div');
  root = createRoot(place);
});
afterEach(async () => {
  await act(() => root.unmount());
  vi.unstubAllGlobals();
});

const image = () => place.querySelector('img');
const fail = () => act(async () => image()?.dispatchEvent(new Event('error')));
const sign = () => place.querySelector('span[role=img]');

it('tries the next place, and then says that it cannot be shown', async () => {
  const show = (sources: string[]) =>
    act(() => root.render(createElement(ShownPicture, { sources, alt: 'a star' })));
  await show(['/small', '/whole']);
  expect(image()?.getAttribute('src')).toBe('/small');
  await fail();
  expect(image()?.getAttribute('src')).toBe('/whole');
  expect(sign()).toBeNull();
  await fail();
  expect(image()).toBeNull();
  expect(place.textContent).toBe('cannot be shown');
  expect(sign()?.getAttribute('aria-label')).toBe('a star: cannot be shown');
  // Another picture in the same place is tried.
  await show(['/other']);
  expect(image()?.getAttribute('src')).toBe('/other');
});

it('says it of a file that is no picture, and holds its bytes no longer', async () => {
  const left = vi.fn();
  const ref = (shown: HTMLImageElement) => {
    shown.src = 'blob:1';
    return left;
  };
  await act(() => root.render(createElement(ShownPicture, { ref, alt: 'notes.jpg' })));
  expect(image()?.getAttribute('src')).toBe('blob:1');
  await fail();
  expect(place.textContent).toBe('cannot be shown');
  expect(left).toHaveBeenCalledOnce();
});

it('is a sign alone where a word has no room', async () => {
  const blob = { kind: 'image' as const, blob: 'ab', width: 320, height: 240, format: 'png' };
  await act(() => root.render(createElement(Thumbnail, { image: blob, height: 32 })));
  await fail();
  expect(image()).toBeNull();
  expect(place.textContent).toBe('');
  expect(sign()?.getAttribute('aria-label')).toBe('The picture cannot be shown');
});
