import { act, createElement as make } from 'react';
import { createRoot, type Root } from 'react-dom/client';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { createEditor, EditorContext, type EditorStore } from './store';
import { useValidation } from './useValidation';

let root: Root;
let store: EditorStore;
let answers: (() => Promise<Response>)[];

function Validating() {
  useValidation();
  return null;
}

const answered = (status: number, body: object) => () =>
  Promise.resolve(new Response(JSON.stringify(body), { status }));
const away = () => Promise.reject(new TypeError('no network'));
const pass = (ms: number) => act(() => vi.advanceTimersByTimeAsync(ms));

beforeEach(async () => {
  vi.useFakeTimers();
  vi.stubGlobal('IS_REACT_ACT_ENVIRONMENT', true);
  // No other address is asked: what the key may do makes no difference.
  vi.stubGlobal('fetch', (address: string) => {
    const next = address === '/api/v1/workflows/validate' ? answers.shift() : undefined;
    if (!next) throw new Error(`${address} was not to be asked for`);
    return next();
  });
  store = createEditor({ name: 'w', nodes: [{ id: 'a', type: 'delay' }] }, null, new Map());
  root = createRoot(document.createElement('div'));
  answers = [];
  await act(() => root.render(make(EditorContext, { value: store }, make(Validating))));
});
afterEach(async () => {
  await act(() => root.unmount());
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

it('asks again after an outage, until there is an answer', async () => {
  const problem = {
    status: 422,
    title: 'x',
    detail: 'y',
    errors: [{ code: 'A', pointer: '', message: 'z' }],
  };
  answers = [away, answered(503, { status: 503, retryable: true }), answered(422, problem)];
  await pass(300);
  expect(store.getState().verdict.state).toBe('unknown');
  await pass(5_000);
  expect([store.getState().verdict.state, answers.length]).toEqual(['unknown', 1]);
  await pass(5_000);
  expect(store.getState().verdict).toMatchObject({ state: 'invalid', count: 1 });
  await pass(60_000);
  expect(answers).toEqual([]);
});

it('does not ask again where the answer is no', async () => {
  answers = [answered(403, { status: 403, retryable: false })];
  await pass(300);
  expect(store.getState().verdict.state).toBe('unknown');
  await pass(60_000);
});

it('tells of what is valid and surely not meant', async () => {
  const warning = { code: 'UNUSED_NODE', pointer: '/nodes/0', message: 'nothing reads it', node: 'a' };
  answers = [answered(200, { valid: true, inputs: [], warnings: [warning] })];
  await pass(300);
  expect(store.getState().verdict).toMatchObject({ state: 'valid', count: 0, warnings: 1 });
  expect(store.getState().faults.byNode.get('a')).toMatchObject([{ mild: true, place: [] }]);
});
