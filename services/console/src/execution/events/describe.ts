/** Events as people read them: how bad, in a few words, and as the lines of a log. */
import type { EventEnvelope, JobMetrics } from '~/api/types';
import { formatDuration, shortId } from '~/lib/format';
import { isObject } from '~/lib/json';
import { summarise } from '~/lib/values';
import { shortType } from '../live/reducer';

export type Level = 'info' | 'warn' | 'error';

export function levelOf(event: EventEnvelope): Level {
  const type = shortType(event.type);
  if (type.endsWith('failed')) return 'error';
  return /retrying$|cancelled$/.test(type) ? 'warn' : 'info';
}

/** An event in a few words: the cause of a failure, where the time went, what came out, who did it. */
export function describe(event: EventEnvelope): string {
  const { data } = event;
  const words: (string | null)[] = [];
  if (isObject(data.error)) words.push(cause(data.error));
  if (isObject(data.metrics)) words.push(timesOf(data.metrics as unknown as JobMetrics));
  if (isObject(data.outputs)) words.push(summarise(data.outputs));
  if (typeof data.duration_ms === 'number') words.push(`took ${formatDuration(data.duration_ms)}`);
  if (typeof data.pool === 'string') words.push(`pool ${data.pool}`);
  if (typeof data.model_id === 'string') words.push(data.model_id);
  if (typeof data.worker_id === 'string') words.push(`worker ${shortId(data.worker_id)}`);
  if (typeof data.origin === 'string') words.push(`from the run ${shortId(data.origin)}`);
  if ((event.attempt ?? 1) > 1) words.push(`attempt ${event.attempt}`);
  return words.filter(Boolean).join(' · ');
}

function cause(error: Record<string, unknown>): string {
  const place = [error.node, error.pointer].filter(part => typeof part === 'string').join(' ');
  return `${error.kind}: ${place ? `${place}: ` : ''}${error.message}`;
}

function timesOf(metrics: JobMetrics): string {
  if (metrics.cached) return 'reused';
  const waited = metrics.queue_wait_ms >= 1 ? `waited ${formatDuration(metrics.queue_wait_ms)}, ` : '';
  const loaded =
    metrics.model_load_time_ms >= 1 ? `loaded ${formatDuration(metrics.model_load_time_ms)}, ` : '';
  return `${waited}${loaded}worked ${formatDuration(metrics.total_time_ms)}`;
}

/** The event as a line of a log, with its end. */
export function logLine(event: EventEnvelope): string {
  const place = event.nodeid ? `${event.nodeid}${event.path ?? ''}` : 'run';
  const line = [event.time, levelOf(event).padEnd(5), shortType(event.type), place, describe(event)];
  return `${line.join(' ').trimEnd()}\n`;
}

/** Whether every word of `text` occurs in the event's type, node, path or description. */
export function matches(event: EventEnvelope, text: string): boolean {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return true;
  const haystack = `${event.type} ${event.nodeid ?? ''}${event.path ?? ''} ${describe(event)}`.toLowerCase();
  return words.every(word => haystack.includes(word));
}
