import { expect, it } from 'vitest';
import type { InputSpec, NodeDefinition, WorkflowRecord } from '~/api/types';
import { curlOf, pythonOf, type Call } from './snippets';

function call(nodes: NodeDefinition[], more: Partial<Call> = {}): Call {
  const record = { id: 'w1', version: 2, definition: { name: 'w', nodes } } as unknown as WorkflowRecord;
  return { server: 'http://mill:8080', record, inputs: [], guarded: false, ...more };
}
const parameter = (id: string, config: NodeDefinition['config']): NodeDefinition => ({
  id,
  type: 'parameter_input',
  config,
});

it('sends pictures as files, and the rest beside them', () => {
  const inputs = [{ name: 'photos', block: 'image_input@1', kind: 'list<image>', required: true }];
  const nodes = [
    { id: 'photo', type: 'image_input' },
    { id: 'photos', type: 'image_input' },
    parameter('note', { kind: 'string', default: "it's" }),
    parameter('sharp', { kind: 'boolean' }),
  ];
  const asked = call(nodes, { inputs: inputs as InputSpec[], guarded: true });
  expect(curlOf(asked)).toBe(
    [
      "curl -s 'http://mill:8080/api/v1/workflows/w1/run?wait=30s'",
      '-H "Authorization: Bearer $MILLRACE_API_KEY"',
      '-F photo=@picture.jpg',
      '-F photos=@first.jpg',
      '-F photos=@second.jpg',
      `--form-string 'input={"note":"it'\\''s","sharp":true}'`,
    ].join(' \\\n  '),
  );
  expect(pythonOf(asked)).toBe(`# pip install ./clients/python, in the repository of Millrace
# The key is read from MILLRACE_API_KEY.
from pathlib import Path
from millrace import Millrace

client = Millrace("http://mill:8080")
run = client.run_and_follow("w1", {
    "photo": Path("picture.jpg"),
    "photos": [Path("first.jpg"), Path("second.jpg")],
    "note": "it's",
    "sharp": True,
})
print(run.outputs)`);
});

it('gives parameters what their settings have, or something of their kind', () => {
  const asked = call([
    parameter('mode', { kind: 'string', enum: ['fast', 'slow'] }),
    parameter('limit', { kind: 'integer', min: 3 }),
    parameter('at', { kind: 'timestamp' }),
    parameter('weights', { kind: 'list<float>' }),
    parameter('extra', { kind: 'object', default: { on: false, of: null } }),
    { id: 'sum', type: 'aggregation' },
  ]);
  const values = '{"mode":"fast","limit":3,"at":"2026-01-01T12:00:00Z","weights":[0.5]';
  expect(curlOf(asked)).toContain(`-d '{"input":${values},"extra":{"on":false,"of":null}}}'`);
  expect(pythonOf(asked)).toContain('"extra": {"on": False, "of": None},');
});

it('asks for nothing where nothing is taken', () => {
  expect(curlOf(call([]))).toContain(`-d '{"input":{}}'`);
  expect(pythonOf(call([]))).toContain('client.run_and_follow("w1")');
});
