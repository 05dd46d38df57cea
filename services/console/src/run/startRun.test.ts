import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { startRun } from './startRun';

const definition = { name: 'mine', nodes: [] };
const body = { input: { count: 1 } };
let sent: { address: string; body: unknown }[];

beforeEach(() => {
  sent = [];
  vi.stubGlobal('fetch', async (address: string, { body: text }: RequestInit) => {
    sent.push({ address, body: JSON.parse(String(text)) });
    return new Response(JSON.stringify({ execution_id: 'one' }));
  });
});
afterEach(() => vi.unstubAllGlobals());

it('runs a saved version as itself, whatever was saved since', async () => {
  await startRun({ definition, saved: { id: 'w', version: 2 } }, body);
  expect(sent).toEqual([{ address: '/api/v1/workflows/w/run?version=2', body }]);
});

it('runs work that is not saved as it is', async () => {
  await startRun({ definition, saved: null }, body);
  expect(sent).toEqual([{ address: '/api/v1/executions', body: { ...body, workflow: definition } }]);
});
