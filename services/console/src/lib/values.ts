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

/** As blocks take it where a detection names no class. */
const UNKNOWN_CLASS = -1;

export function asImage(value: unknown): ImageValue | null {
  return isObject(value) && value.kind === 'image' && typeof value.blob === 'string'
    ? (value as unknown as ImageValue)
    : null;
}

/** Boxes or masks, with what is amiss about an item mended or left out: blocks and callers may write what they like. */
export function asOverlay(value: unknown): Overlay | null {
  if (!isObject(value) || !Array.isArray(value.items)) return null;
  if (!Number.isFinite(value.width) || !Number.isFinite(value.height)) return null;
  const items: Detection[] = [];
  for (const item of value.items) {
    const detection = asDetection(item);
    if (!detection) return null;
    items.push(detection);
  }
  const { image_id, width, height } = value as { image_id?: unknown; width: number; height: number };
  return { width, height, items, ...(typeof image_id === 'string' && { image_id }) };
}

function asDetection(item: Json): Detection | null {
  if (!isObject(item) || !areNumbers(item.bbox) || item.bbox.length !== 4) return null;
  const { detection_id, class_id, class_name, confidence, mask, keypoints, tracker_id } = item;
  const id = typeof class_id === 'number' && Number.isFinite(class_id) ? class_id : UNKNOWN_CLASS;
  return {
    bbox: item.bbox as Detection['bbox'],
    class_id: id,
    class_name: typeof class_name === 'string' ? class_name : String(class_id ?? ''),
    ...(typeof detection_id === 'string' && { detection_id }),
    ...(typeof confidence === 'number' && Number.isFinite(confidence) && { confidence }),
    ...(isMask(mask) && { mask }),
    ...(isPoints(keypoints) && { keypoints }),
    ...(typeof tracker_id === 'number' && { tracker_id }),
  };
}

function areNumbers(value: unknown): value is number[] {
  return Array.isArray(value) && value.every(Number.isFinite);
}

function isMask(value: unknown): value is Rle & Json {
  if (!isObject(value) || !areNumbers(value.size) || value.size.length !== 2) return false;
  return typeof value.counts === 'string' || areNumbers(value.counts);
}

function isPoints(value: unknown): value is [number, number, number][] {
  return Array.isArray(value) && value.every(point => areNumbers(point) && point.length >= 2);
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

/** Sizes of small copies that are asked for, pixels of the longer side. Few: what one place asked for serves the next. */
const THUMBNAIL_SIZES = [256, 512, 1024];
/** A picture up to this size is shown as it is: a copy saves little, and a worker has to make it. */
const SMALL_ENOUGH = 512;

/** Where to get a picture that is shown `height` pixels of the screen high: a small copy, where that saves something. */
export function thumbnailUrl(image: ImageValue, height: number): string {
  const longer = Math.max(image.width, image.height);
  const needed = height * Math.max(1, image.width / image.height);
  const size = THUMBNAIL_SIZES.find(one => one >= needed);
  const whole = size === undefined || longer <= Math.max(size, SMALL_ENOUGH);
  return whole ? blobUrl(image.blob) : `${blobUrl(image.blob)}/thumbnail?w=${size}`;
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
export function summarise(outputs: JsonObject | null | undefined): string | null {
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
