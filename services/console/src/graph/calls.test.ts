import { describe, expect, it } from 'vitest';
import type { Block, Definition, NodeDefinition } from '~/api/types';
import { savedCalls } from './calls';
import { catalogueOf, portsOf } from './ports';

const ID = '0192f0c1-2345-7abc-8def-0123456789ab';

const block = (type: string, outputs: Record<string, string> = {}, more: Partial<Block> = {}) =>
  ({
    id: `${type}@1`,
    type,
    version: 1,
    config: {},
    inputs: [],
    outputs: Object.entries(outputs).map(([name, kind]) => ({ name, kind, help: '' })),
    outputs_vary: false,
    further_outputs: false,
    ...more,
  }) as unknown as Block;
const catalogue = catalogueOf([
  block('image_input', { image: 'image', images: 'list<image>' }, { outputs_vary: true }),
  block('parameter_input', { value: 'any' }, { outputs_vary: true }),
  block('count', { count: 'integer' }),
  block('json_output', {}, { further_inputs: 'any' }),
  block('sub_workflow', {}, { further_inputs: 'any', further_outputs: true }),
]);

const call = (config?: NodeDefinition['config'], inputs: NodeDefinition['inputs'] = {}): NodeDefinition => ({
  id: 'call',
  type: 'sub_workflow',
  inputs,
  ...(config && { config }),
});
const out = (inputs: NodeDefinition['inputs'], id = 'out'): NodeDefinition => ({
  id,
  type: 'json_output',
  ...(inputs && { inputs }),
});

/** Counts what is in a picture. */
const counter: Definition = {
  nodes: [
    { id: 'photo', type: 'image_input', config: { list: false } },
    { id: 'least', type: 'parameter_input', config: { kind: 'float', default: 0.5 } },
    { id: 'count', type: 'count' },
    out({ n: '$nodes.count.count', photo: '$inputs.photo', note: 'as text' }, 'answer'),
  ],
};

const outputsOf = (definition: Definition, saved = {}) =>
  portsOf(definition, catalogue, saved)
    .get('call')
    ?.outputs.map(({ name, kind }) => `${name}:${kind}`);

describe('a call', () => {
  it('takes the inputs of what it calls and gives its outputs', () => {
    const definition = {
      nodes: [call({ workflow: 'counter' }, { photo: '$inputs.x', other: 1 })],
      workflows: { counter },
    };
    expect(outputsOf(definition)).toEqual(['n:integer', 'photo:image', 'note:any']);
    const inputs = portsOf(definition, catalogue).get('call')?.inputs ?? [];
    expect(
      inputs.map(({ name, kinds, required, further }) => [name, kinds.join(), required, further]),
    ).toEqual([
      ['photo', 'image', true, false],
      ['least', 'float', false, false],
      ['other', 'any', false, true],
    ]);
  });

  it('names the output where there are several', () => {
    const two = { nodes: [...counter.nodes, out({ n: '$nodes.count.count' }, 'again')] };
    const definition = { nodes: [call({ workflow: 'two' })], workflows: { two } };
    expect(outputsOf(definition)).toEqual([
      'answer.n:integer',
      'answer.photo:image',
      'answer.note:any',
      'again.n:integer',
    ]);
  });

  it('finds a saved workflow by its version, and one that it does not bring along among those that are known', () => {
    const pinned = { nodes: [call({ workflow: ID, version: 3 })], workflows: { [`${ID}@3`]: counter } };
    expect(outputsOf(pinned)).toHaveLength(3);
    expect(savedCalls(pinned)).toEqual([]);
    const newest = {
      nodes: [call({ workflow: ID }), { ...call({ workflow: ID }), id: 'again' }, call({ workflow: 'w' })],
    };
    expect(savedCalls(newest)).toEqual([{ key: ID, workflow: ID, version: undefined }]);
    expect(outputsOf(newest)).toEqual([]);
    expect(outputsOf({ nodes: [call({ workflow: ID })] }, { [ID]: counter })).toHaveLength(3);
  });

  it('looks for what is called inside in the library that is nearest', () => {
    const outer = { nodes: [call({ workflow: 'inner' }), out({ all: '$nodes.call.n' })] };
    const inner = { nodes: [out({ n: 1 })] };
    const workflows = { inner, outer: { ...outer, workflows: { inner: counter } } };
    expect(outputsOf({ nodes: [call({ workflow: 'outer' })], workflows })).toEqual(['all:integer']);
    expect(outputsOf({ nodes: [call({ workflow: 'outer' })], workflows: { inner, outer } })).toEqual([
      'all:any',
    ]);
  });

  it('is not misled by what calls itself, and by what is no workflow', () => {
    const again = { nodes: [call({ workflow: 'again' }), out({ n: '$nodes.call.n' })] };
    expect(outputsOf({ nodes: [call({ workflow: 'again' })], workflows: { again } })).toEqual(['n:any']);
    for (const odd of [7, [], { nodes: {} }, { nodes: [null] }, { nodes: [{ id: 1 }] }]) {
      // Anybody may have written it.
      const definition = { nodes: [call({ workflow: 'odd' })], workflows: { odd } } as unknown as Definition;
      expect(outputsOf(definition)).toEqual([]);
    }
    const named = { nodes: [call({ workflow: 'constructor' }), call(), call({ workflow: 5 })] };
    expect(outputsOf(named)).toEqual([]);
  });
});

describe('ports that only the server knows', () => {
  it('are there where they are read', () => {
    const nodes = [call({ workflow: ID }), { id: 'count', type: 'count' }, { id: 'new', type: 'unheard_of' }];
    const reads = out({
      a: '$nodes.call.n',
      b: '$nodes.call.answer.n',
      c: ['$nodes.count.*', '$nodes.count.typo'],
      d: '$nodes.new.port',
    });
    const ports = portsOf({ nodes: [...nodes, reads] }, catalogue);
    const named = (id: string) => ports.get(id)?.outputs.map(({ name, kind }) => `${name}:${kind}`);
    expect(named('call')).toEqual(['n:any', 'answer.n:any']);
    expect(named('count')).toEqual(['count:integer', '*:object']);
    expect(named('new')).toEqual(['port:any']);
  });

  it('are the pictures of an input that does not say whether it is a list', () => {
    const photo = { id: 'photo', type: 'image_input' };
    const ports = (text: string) =>
      portsOf({ nodes: [photo, out({ all: text })] }, catalogue).get('photo')?.outputs;
    expect(ports('$nodes.photo.images')?.map(port => port.name)).toEqual(['images']);
    expect(ports('$inputs.photo')?.map(port => port.name)).toEqual(['image']);
  });
});
