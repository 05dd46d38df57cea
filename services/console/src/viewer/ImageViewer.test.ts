import { MantineProvider } from '@mantine/core';
import { act, createElement as make } from 'react';
import { createRoot, type Root } from 'react-dom/client';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { ImageViewer } from './ImageViewer';

class Unseen {
  observe(): void {}
  disconnect(): void {}
}

let root: Root;

beforeEach(async () => {
  vi.stubGlobal('IS_REACT_ACT_ENVIRONMENT', true);
  vi.stubGlobal('ResizeObserver', Unseen);
  vi.stubGlobal('matchMedia', () => ({ addEventListener: vi.fn(), removeEventListener: vi.fn() }));
  Object.assign(Element.prototype, { setPointerCapture: vi.fn() });
  const image = { kind: 'image' as const, blob: 'ab', width: 320, height: 240, format: 'png' };
  root = createRoot(document.body);
  await act(() =>
    root.render(
      make(MantineProvider, { env: 'test' }, make(ImageViewer, { image, candidates: [], alt: 'a star' })),
    ),
  );
});
afterEach(async () => {
  await act(() => root.unmount());
  Reflect.deleteProperty(Element.prototype, 'setPointerCapture');
  vi.unstubAllGlobals();
});

const frame = () => document.querySelector<HTMLElement>('[role=group]') as HTMLElement;
const transform = () => (frame().firstElementChild as HTMLElement).style.transform;
const WHOLE = 'translate(0px, 0px) scale(1)';
const key = (name: string) =>
  act(async () => frame().dispatchEvent(new KeyboardEvent('keydown', { key: name, bubbles: true })));
const press = (label: string) =>
  act(async () => document.querySelector<HTMLButtonElement>(`[aria-label="${label}"]`)?.click());
const point = (type: string, pointerId: number, clientX: number, clientY = 0) =>
  act(async () =>
    frame().dispatchEvent(new PointerEvent(type, { pointerId, clientX, clientY, button: 0, bubbles: true })),
  );

it('is zoomed and moved by keys and buttons', async () => {
  expect(transform()).toBe(WHOLE);
  await key('ArrowLeft');
  expect(transform()).toBe(WHOLE);
  await key('+');
  await key('ArrowLeft');
  expect(transform()).toBe('translate(60px, 0px) scale(1.5)');
  await key('0');
  expect(transform()).toBe(WHOLE);
  await press('Zoom in');
  expect(transform()).toBe('translate(0px, 0px) scale(1.5)');
  await press('Zoom out');
  expect(transform()).toBe(WHOLE);
});

it('is zoomed by two fingers, and one finger leaves the whole picture alone', async () => {
  await point('pointerdown', 1, -10);
  await point('pointermove', 1, -10, 50);
  expect(transform()).toBe(WHOLE);
  await point('pointermove', 1, -10, 0);
  await point('pointerdown', 2, 10);
  await point('pointermove', 2, 30);
  await point('pointermove', 1, -30);
  expect(transform()).toContain('scale(3)');
  await point('pointerup', 1, -30);
  await point('pointermove', 2, 40);
  await point('pointerup', 2, 40);
  expect(transform()).toMatch(/^translate\(10px, 0px\) scale\(3\)$/);
});
