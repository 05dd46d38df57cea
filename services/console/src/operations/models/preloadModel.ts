/**
 * The wish that a model be loaded. The server answers when a worker has it, or after a while with nobody; that it cannot be
 * loaded at all only the workers know, who say it as `model.failed`.
 */
import { API, request } from '~/api/request';
import type { EventEnvelope, Preloaded } from '~/api/types';
import { isObject } from '~/lib/json';

const WAIT = '20s';

export async function preloadModel(id: string, pool: string): Promise<Preloaded> {
  const waiting = new AbortController();
  const failures = new EventSource(`${API}/events?types=model.failed`);
  const failure = new Promise<never>((_, reject) => {
    failures.addEventListener('model.failed', message => {
      const { subject, data } = JSON.parse(message.data) as EventEnvelope;
      const cause = isObject(data.error) ? data.error.message : null;
      if (subject === id) reject(new Error(typeof cause === 'string' ? cause : 'a worker could not load it'));
    });
  });
  // A file that is no model is told of within milliseconds: nobody is asked before the answer would be heard.
  await new Promise<void>(resolve => {
    failures.addEventListener('open', () => resolve(), { once: true });
    failures.addEventListener('error', () => resolve(), { once: true });
  });
  const query = new URLSearchParams({ pool, wait: WAIT });
  const answer = request<Preloaded>(`/models/${encodeURIComponent(id)}/preload?${query}`, {
    method: 'POST',
    signal: waiting.signal,
  });
  try {
    return await Promise.race([answer, failure]);
  } finally {
    failures.close();
    waiting.abort();
  }
}
