import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { startRun } from './startRun';

const definition = { name: 'mine', nodes: [] };
const body = { input: { count: 1 } };
let newest: number;
let sent: { address: string; body: unknown }[];

beforeEach(() => {
  sent = [];
  vi.stubGlobal('fetch', async (address: string, { method, body: text }: RequestInit) => {
    if (method === 'POST') sent.push({ address, body: JSON.parse(String(text)) });
    return new Response(JSON.stringify(method === 'POST' ? { execution_id: 'one' } : { version: newest }));
  });
});
afterEach(() => vi.unstubAllGlobals());

it('runs a version as itself while it is the newest', async () => {
  newest = 2;
  await startRun({ definition, saved: { id: 'w', version: 2 } }, body);
  expect(sent).toEqual([{ address: '/api/v1/workflows/w/run', body }]);
});

it('runs what is on the canvas where somebody has saved another version meanwhile', async () => {
  newest = 3;
  await startRun({ definition, saved: { id: 'w', version: 2 } }, body);
  expect(sent).toEqual([{ address: '/api/v1/executions', body: { ...body, workflow: definition } }]);
});

it('runs work that is not saved as it is', async () => {
  await startRun({ definition, saved: null }, body);
  expect(sent).toEqual([{ address: '/api/v1/executions', body: { ...body, workflow: definition } }]);
});
