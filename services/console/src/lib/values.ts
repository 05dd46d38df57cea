/** What travels on ports: images, detections, masks, and references to values too large to travel. */
import type { Json, JsonObject } from '~/api/types';
import { isObject } from './json';

export interface ImageValue {
  kind: 'image';
  blob: string;
  width: number;
  height: number;
  format: string;
  lineage?: { root: string; root_width: number; root_height: number; to_root: number[] };
}

export interface Rle {
  size: [number, number];
  counts: string | number[];
}

export interface Detection {
  detection_id?: string;
  class_id: number;
  class_name: string;
  confidence?: number;
  bbox: [number, number, number, number];
  mask?: Rle;
  keypoints?: [number, number, number][];
  tracker_id?: number;
}

/** Detections, or masks, which have the same form. */
export interface Overlay {
  image_id?: string;
  width: number;
  height: number;
  items: Detection[];
}

export function asImage(value: unknown): ImageValue | null {
  return isObject(value) && value.kind === 'image' && typeof value.blob === 'string'
    ? (value as unknown as ImageValue)
    : null;
}

export function asOverlay(value: unknown): Overlay | null {
  if (!isObject(value) || !Array.isArray(value.items) || !('width' in value)) return null;
  const sound = value.items.every(
    item => isObject(item) && Array.isArray(item.bbox) && item.bbox.length === 4,
  );
  return sound ? (value as unknown as Overlay) : null;
}

/** The digest behind `{"$value": …}`. */
export function asReference(value: unknown): string | null {
  return isObject(value) && typeof value.$value === 'string' ? value.$value : null;
}

export function asVector(value: unknown): number[] | null {
  const list = isObject(value) && Array.isArray(value.values) ? value.values : value;
  const isVector = Array.isArray(list) && list.length >= 8 && list.every(item => typeof item === 'number');
  return isVector ? (list as number[]) : null;
}

export function blobUrl(blob: string): string {
  return `/api/v1/blobs/${blob}`;
}

/** The first picture of a value, looked for near the surface: what a node shows of its output. */
export function firstImage(value: Json | undefined, depth = 3): ImageValue | null {
  const image = asImage(value);
  if (image || depth === 0 || typeof value !== 'object' || value === null) return image;
  const parts = Array.isArray(value) ? value.slice(0, 4) : Object.values(value);
  for (const part of parts) {
    const found = firstImage(part, depth - 1);
    if (found) return found;
  }
  return null;
}

/** Every picture of a value, up to `limit`. */
export function allImages(value: Json | undefined, limit = 200): ImageValue[] {
  const found: ImageValue[] = [];
  const visit = (part: Json | undefined): void => {
    if (found.length >= limit || typeof part !== 'object' || part === null) return;
    const image = asImage(part);
    if (image) found.push(image);
    else (Array.isArray(part) ? part : Object.values(part)).forEach(visit);
  };
  visit(value);
  return found;
}

/** A node's outputs in a few words: `count 4`, `4 items`. */
export function summarise(outputs: JsonObject | undefined): string | null {
  if (!outputs) return null;
  const entries = Object.entries(outputs);
  // A plain value says more in few words than how long a list is.
  for (const [name, value] of entries) {
    if (typeof value === 'number') return `${name} ${Number.isInteger(value) ? value : value.toFixed(3)}`;
    if (typeof value === 'boolean') return `${name} ${value}`;
    if (typeof value === 'string' && value.length <= 40) return `${name} ${value}`;
  }
  for (const [, value] of entries) {
    if (Array.isArray(value)) return `${value.length} ${value.length === 1 ? 'item' : 'items'}`;
    const overlay = asOverlay(value);
    if (overlay) return `${overlay.items.length} found`;
  }
  return null;
}
