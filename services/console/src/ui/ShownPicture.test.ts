import { act, createElement } from 'react';
import { createRoot, type Root } from 'react-dom/client';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { AGAIN_MS } from './pictureFate';
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
  vi.useRealTimers();
});

const image = () => place.querySelector('img');
const fail = () => act(async () => image()?.dispatchEvent(new Event('error')));
const sign = () => place.querySelector('span[role=img]');

/** What the server says of the picture, answer by answer; null where it is away. The last of them stands. */
function server(...answers: (number | null)[]): { asked: string[] } {
  const asked: string[] = [];
  vi.stubGlobal('fetch', async (address: string, { method }: RequestInit) => {
    asked.push(`${method} ${address}`);
    const status = answers[Math.min(asked.length, answers.length) - 1] ?? null;
    if (status === null) throw new TypeError('Failed to fetch');
    return new Response(null, { status });
  });
  return { asked };
}
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
  server(404);
  const blob = { kind: 'image' as const, blob: 'ab', width: 320, height: 240, format: 'png' };
  await act(() => root.render(createElement(Thumbnail, { image: blob, height: 32 })));
  await fail();
  expect(image()).toBeNull();
  expect(place.textContent).toBe('');
  expect(sign()?.getAttribute('aria-label')).toBe('The picture cannot be shown');
});

const stored = () =>
  act(() => root.render(createElement(ShownPicture, { sources: ['/api/v1/blobs/ab'], alt: 'a star' })));
const wait = (ms: number) => act(() => vi.advanceTimersByTimeAsync(ms));

it('says of a stored one why it is not shown', async () => {
  const { asked } = server(404);
  await stored();
  await fail();
  expect(asked).toEqual(['HEAD /api/v1/blobs/ab']);
  expect(sign()?.getAttribute('title')).toBe('a star: cannot be shown. It is not on the server any more.');
});

it('is tried again where the server was away, and not where it is no picture', async () => {
  vi.useFakeTimers();
  const { asked } = server(null, 503, 200);
  await stored();
  await fail();
  expect(sign()?.getAttribute('title')).toContain('tried again by itself');
  expect(place.textContent).toBe('cannot be loaded');
  await wait(AGAIN_MS);
  expect(image()).toBeNull();
  await wait(AGAIN_MS * 2);
  expect(image()?.getAttribute('src')).toBe('/api/v1/blobs/ab');
  expect(asked).toHaveLength(3);
  await fail();
  await wait(3_600_000);
  expect(sign()?.getAttribute('title')).toContain('does not know its format');
  expect(asked).toHaveLength(4);
});

it('is not asked for any more once it is left', async () => {
  vi.useFakeTimers();
  const { asked } = server(null);
  await stored();
  await fail();
  await wait(24 * 3_600_000);
  const most = asked.length;
  expect(most).toBeLessThan(20);
  await act(() => root.render(null));
  expect(vi.getTimerCount()).toBe(0);
  await stored();
  await fail();
  await act(() => root.render(null));
  await wait(3_600_000);
  expect(asked).toHaveLength(most + 1);
});
