import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { createSubmissionKeys, type SubmissionKeys } from '~/lib/submissionKeys';
import { startRun } from './startRun';

const definition = { name: 'mine', nodes: [] };
const body = { input: { count: 1 } };
let sent: { address: string; body: unknown }[];
let sentKeys: (string | null)[];
/** Answers that are lost on their way. */
let lost: number;
let keys: SubmissionKeys;

beforeEach(() => {
  [sent, sentKeys, lost, keys] = [[], [], 0, createSubmissionKeys()];
  vi.stubGlobal('fetch', async (address: string, { body: text, headers }: RequestInit) => {
    sent.push({ address, body: JSON.parse(String(text)) });
    sentKeys.push(new Headers(headers).get('idempotency-key'));
    if (sent.length <= lost) throw new TypeError('Failed to fetch');
    return new Response(JSON.stringify({ execution_id: 'one' }));
  });
});
afterEach(() => vi.unstubAllGlobals());

it('runs a saved version as itself, whatever was saved since', async () => {
  await startRun({ definition, saved: { id: 'w', version: 2 } }, body, keys);
  expect(sent).toEqual([{ address: '/api/v1/workflows/w/run?version=2', body }]);
});

it('runs work that is not saved as it is', async () => {
  await startRun({ definition, saved: null }, body, keys);
  expect(sent).toEqual([{ address: '/api/v1/executions', body: { ...body, workflow: definition } }]);
});

it('is sent again under the same key where no answer came, and the next run has another', async () => {
  lost = 1;
  const run = () => startRun({ definition, saved: null }, body, keys);
  await expect(run()).rejects.toThrow('No answer');
  await run();
  await run();
  const [first, again, next] = sentKeys;
  expect(first).toBeTruthy();
  expect(again).toBe(first);
  expect(next).not.toBe(first);
});

it('has another key where something else is given', async () => {
  lost = 1;
  await expect(startRun({ definition, saved: null }, body, keys)).rejects.toThrow('No answer');
  await startRun({ definition, saved: null }, { input: { count: 2 } }, keys);
  expect(sentKeys[1]).not.toBe(sentKeys[0]);
});
