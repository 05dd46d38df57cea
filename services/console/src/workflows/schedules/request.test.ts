import { afterEach, expect, it, vi } from 'vitest';
import type { Schedule } from '~/api/types';
import { replaceSchedule } from './request';

afterEach(() => vi.unstubAllGlobals());

it('changes what is meant, and nothing else', async () => {
  const kept = {
    cron: '@daily',
    timezone: 'UTC',
    overlap: 'queue',
    version: 3,
    input: { n: 7 },
    jitter_ms: 500,
    priority: 'low',
    pool: 'heavy',
    labels: { team: 'vision' },
    timeout_ms: 60_000,
    callback_url: 'https://example.com/done',
  };
  const sent = vi.fn((_: string, { body }: { body: string }) => Promise.resolve(new Response(body)));
  vi.stubGlobal('fetch', sent);
  const schedule = { ...kept, id: 'one', revision: 2, enabled: true, last: null } as unknown as Schedule;
  await replaceSchedule(schedule, { enabled: false });
  expect(JSON.parse(sent.mock.calls[0]?.[1].body ?? '')).toEqual({ ...kept, enabled: false });
});
