/** How a saved workflow is run by others: as a command, and from Python. */
import type { InputSpec, Json, JsonObject, WorkflowRecord } from '~/api/types';
import { elementOf } from '~/graph/kinds';
import { isInputNode } from '~/graph/selectors';
import { isPictureInput } from '~/run/inputs';
import { takesList } from '../inputsOf';

/** What is called, and where. */
export interface Call {
  /** Of the server, without a path. */
  server: string;
  record: WorkflowRecord;
  /** What it takes, as the server says; none while that is not known. */
  inputs: readonly InputSpec[] | undefined;
  /** Whether callers need a key. */
  guarded: boolean;
}

/** One answer with the outputs, however long the run takes to half a minute; after that it tells which run goes on. */
export function curlOf(call: Call): string {
  const { pictures, values } = inputOf(call);
  const address = `${call.server}/api/v1/workflows/${call.record.id}/run?wait=30s`;
  const hasValues = Object.keys(values).length > 0;
  const files = pictures.flatMap(({ name, files }) => files.map(file => `-F ${name}=@${file}`));
  const lines = [
    `curl -s ${quoted(address)}`,
    ...(call.guarded ? ['-H "Authorization: Bearer $MILLRACE_API_KEY"'] : []),
    ...(files.length > 0
      ? [...files, ...(hasValues ? [`--form-string ${quoted(`input=${JSON.stringify(values)}`)}`] : [])]
      : ["-H 'content-type: application/json'", `-d ${quoted(JSON.stringify({ input: values }))}`]),
  ];
  return lines.join(' \\\n  ');
}

export function pythonOf(call: Call): string {
  const { pictures, values } = inputOf(call);
  const paths = pictures.map(({ name, isList, files }) => {
    const each = files.map(file => `Path(${JSON.stringify(file)})`);
    return [name, isList ? `[${each.join(', ')}]` : (each[0] ?? '')] as const;
  });
  const others = Object.entries(values).map(([name, value]) => [name, pythonic(value)] as const);
  const given = [...paths, ...others].map(([name, text]) => `    ${JSON.stringify(name)}: ${text},\n`);
  const input = given.length > 0 ? `, {\n${given.join('')}}` : '';
  return [
    '# pip install ./clients/python, in the repository of Millrace',
    ...(call.guarded ? ['# The key is read from MILLRACE_API_KEY.'] : []),
    ...(pictures.length > 0 ? ['from pathlib import Path'] : []),
    'from millrace import Millrace',
    '',
    `client = Millrace(${JSON.stringify(call.server)})`,
    `run = client.run_and_follow(${JSON.stringify(call.record.id)}${input})`,
    'print(run.outputs)',
  ].join('\n');
}

interface Pictures {
  name: string;
  isList: boolean;
  files: string[];
}

/** Something for every input: pictures by the names of files, others as their settings have it. */
function inputOf({ record, inputs }: Call): { pictures: Pictures[]; values: JsonObject } {
  const pictures: Pictures[] = [];
  const values: [string, Json][] = [];
  for (const node of record.definition.nodes.filter(isInputNode)) {
    const { kind = 'any', default: given, enum: choices, min } = node.config ?? {};
    const isPicture = isPictureInput(node) || kind === 'image' || kind === 'list<image>';
    if (isPicture) {
      const isList = kind === 'list<image>' || takesList(node, inputs);
      const files = isList ? ['first.jpg', 'second.jpg'] : ['picture.jpg'];
      pictures.push({ name: node.id, isList, files });
      continue;
    }
    const [choice] = Array.isArray(choices) ? choices : [];
    values.push([node.id, given ?? choice ?? min ?? sampleOf(String(kind))]);
  }
  return { pictures, values: Object.fromEntries(values) };
}

const SAMPLES: Record<string, Json> = {
  string: 'a text',
  timestamp: '2026-01-01T12:00:00Z',
  integer: 1,
  float: 0.5,
  boolean: true,
};

function sampleOf(kind: string): Json {
  const inner = elementOf(kind);
  return inner === null ? (SAMPLES[kind] ?? {}) : [sampleOf(inner)];
}

/** A text as a shell takes it for what it is. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

/** A value as Python writes it. */
function pythonic(value: Json): string {
  if (value === null) return 'None';
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  if (Array.isArray(value)) return `[${value.map(pythonic).join(', ')}]`;
  if (typeof value !== 'object') return JSON.stringify(value);
  const fields = Object.entries(value).map(([name, one]) => `${JSON.stringify(name)}: ${pythonic(one)}`);
  return `{${fields.join(', ')}}`;
}
