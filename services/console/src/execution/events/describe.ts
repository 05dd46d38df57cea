import type { EventEnvelope } from '~/api/types';
import { formatDuration } from '~/lib/format';
import { isObject } from '~/lib/json';
import { summarise } from '~/lib/values';

/** An event in a few words. */
export function describe(event: EventEnvelope): string {
  const { data } = event;
  const words: string[] = [];
  if (isObject(data.error) && typeof data.error.message === 'string') words.push(data.error.message);
  if (isObject(data.metrics) && typeof data.metrics.total_time_ms === 'number') {
    words.push(data.metrics.cached === true ? 'reused' : formatDuration(data.metrics.total_time_ms));
  }
  if (isObject(data.outputs)) words.push(summarise(data.outputs) ?? '');
  if (typeof data.duration_ms === 'number') words.push(`took ${formatDuration(data.duration_ms)}`);
  if (typeof data.pool === 'string') words.push(`pool ${data.pool}`);
  if (typeof data.model_id === 'string') words.push(data.model_id);
  if ((event.attempt ?? 1) > 1) words.push(`attempt ${event.attempt}`);
  return words.filter(Boolean).join(' · ');
}

/** Whether every word of `text` occurs in the event's type, node, path or description. */
export function matches(event: EventEnvelope, text: string): boolean {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return true;
  const haystack = `${event.type} ${event.nodeid ?? ''}${event.path ?? ''} ${describe(event)}`.toLowerCase();
  return words.every(word => haystack.includes(word));
}
