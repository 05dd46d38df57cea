import { describe, expect, it } from 'vitest';
import type { Block, Definition } from '~/api/types';
import { placesOf } from '~/graph/places';
import { edgesOf } from '~/graph/selectors';
import {
  addNode,
  connect,
  freeId,
  inputName,
  move,
  nameOf,
  removeNodes,
  removeWires,
  renameInput,
  renameNode,
  rewire,
  setAt,
  withAttempts,
} from './edit';

const start: Definition = {
  name: 'w',
  nodes: [
    { id: 'photo', type: 'image_input' },
    { id: 'min', type: 'parameter_input', config: { kind: 'float' } },
    {
      id: 'detect',
      type: 'detection',
      inputs: { image: '$inputs.photo' },
      config: { model_id: 'm', confidence: '$inputs.min' },
    },
    {
      id: 'out',
      type: 'json_output',
      inputs: { all: ['$nodes.detect.count', '$inputs.photo'], price: '$$5' },
    },
  ],
  ui: { positions: { photo: [0, 0], detect: [300, 0] } },
};

const block = {
  type: 'detection',
  examples: [{ title: '', node: { id: 'detect', type: 'detection' } }],
} as unknown as Block;

describe('editing', () => {
  it('takes only a text for the name', () => {
    const read = (text: string) => nameOf(JSON.parse(text) as Definition);
    expect(read('{"name":"w"}')).toBe('w');
    for (const other of ['{}', '{"name":{"en":"w"}}', '{"name":null}']) expect(read(other)).toBe('');
  });

  it('names a new node as its block does, and never twice the same', () => {
    const one = addNode(start, block, [10.4, 20.6]);
    expect(one.id).toBe('detect_2');
    expect(one.definition.ui?.positions?.detect_2).toEqual([10, 21]);
    expect(addNode(one.definition, block, [0, 0]).id).toBe('detect_3');
    const example = { title: '', node: { id: 'by_class', type: 'switch' } };
    const logic = { type: 'switch', category: 'logic', examples: [example] } as unknown as Block;
    expect(addNode(start, logic, [0, 0]).id).toBe('switch');
    expect(freeId(['a', 'a_2'], 'a_2')).toBe('a_3');
  });

  it('takes the selectors away with the node they name', () => {
    const next = removeNodes(start, new Set(['photo', 'min']));
    expect(next.nodes.map(node => node.id)).toEqual(['detect', 'out']);
    expect(next.nodes[0]).toEqual({ id: 'detect', type: 'detection', config: { model_id: 'm' } });
    expect(next.nodes[1]?.inputs).toEqual({ all: ['$nodes.detect.count'], price: '$$5' });
    expect(next.ui?.positions).toEqual({ detect: [300, 0] });
  });

  it('renames a node everywhere', () => {
    const next = renameNode(renameNode(start, 'photo', 'scene'), 'detect', 'find');
    expect(next.nodes[2]?.inputs?.image).toBe('$inputs.scene');
    expect(next.nodes[3]?.inputs?.all).toEqual(['$nodes.find.count', '$inputs.scene']);
    expect(next.ui?.positions).toEqual({ scene: [0, 0], find: [300, 0] });
  });

  it('sets and takes away at any depth, and leaves other nodes as they are', () => {
    const set = setAt(start, 'detect', ['config', 'tile', 'overlap_x'], 0.3);
    expect(set.nodes[2]?.config?.tile).toEqual({ overlap_x: 0.3 });
    expect(set.nodes[3]).toBe(start.nodes[3]);
    expect(setAt(start, 'min', ['config', 'kind'], undefined).nodes[1]).toEqual({
      id: 'min',
      type: 'parameter_input',
    });
    expect(setAt(start, 'out', ['inputs', 'all', '1'], 7).nodes[3]?.inputs?.all).toEqual([
      '$nodes.detect.count',
      7,
    ]);
  });

  it('writes wires as selectors', () => {
    const next = connect(
      start,
      { node: 'photo', port: 'image' },
      { node: 'out', place: ['inputs', 'picture'] },
    );
    expect(next.nodes[3]?.inputs?.picture).toBe('$inputs.photo');
    const other = connect(
      next,
      { node: 'detect', port: 'classes' },
      { node: 'out', place: ['inputs', 'classes'] },
    );
    expect(other.nodes[3]?.inputs?.classes).toBe('$nodes.detect.classes');
  });

  it('leaves the rest of the retry policy when the attempts are cleared', () => {
    expect(withAttempts({ max_attempts: 3, initial_ms: 50 }, undefined)).toEqual({ initial_ms: 50 });
    expect(withAttempts({ initial_ms: 50 }, 2)).toEqual({ initial_ms: 50, max_attempts: 2 });
    expect(withAttempts({ max_attempts: 3 }, undefined)).toBeUndefined();
  });

  it('takes wires out of a list without leaving holes, wherever they stand in it', () => {
    const end = (...place: string[]) => ({ node: 'out', place: ['inputs', ...place] });
    const wired = setAt(start, 'out', ['inputs', 'all'], ['$inputs.photo', 'text', '$inputs.min']);
    expect(setAt(wired, 'out', ['inputs', 'all', '0'], undefined).nodes[3]?.inputs?.all).toEqual([
      'text',
      '$inputs.min',
    ]);
    const next = removeWires(wired, [
      end('all', '0'),
      end('all', '2'),
      { node: 'gone', place: ['inputs', 'x'] },
    ]);
    expect(next.nodes[3]?.inputs).toEqual({ all: ['text'], price: '$$5' });
  });

  it('moves a wire, and an end that stays keeps its place in a list', () => {
    const old = { node: 'out', place: ['inputs', 'all', '1'] };
    const from = { node: 'min', port: 'value' };
    const kept = rewire(start, old, from, { node: 'out', place: ['inputs', 'all'] });
    expect(kept.nodes[3]?.inputs?.all).toEqual(['$nodes.detect.count', '$inputs.min']);
    const moved = rewire(
      start,
      old,
      { node: 'photo', port: 'image' },
      { node: 'out', place: ['inputs', 'one'] },
    );
    expect(moved.nodes[3]?.inputs).toEqual({
      all: ['$nodes.detect.count'],
      one: '$inputs.photo',
      price: '$$5',
    });
  });

  it('names further inputs by what they are', () => {
    const out = { id: 'out', type: 'json_output', inputs: { count: 1 } };
    expect(inputName(out, { node: 'detect', port: 'count' })).toBe('count_2');
    expect(inputName(out, { node: 'draw', port: 'image' })).toBe('draw');
  });

  it('gives an input another name, at its place', () => {
    const next = renameInput(start, 'out', 'all', 'everything').nodes[3]?.inputs;
    expect(Object.keys(next ?? {})).toEqual(['everything', 'price']);
    expect(next?.everything).toEqual(['$nodes.detect.count', '$inputs.photo']);
  });

  it('takes names that every object has something under', () => {
    const named: Definition = { nodes: [{ id: '__proto__', type: 'first_of' }] };
    const wired = setAt(named, '__proto__', ['inputs', '__proto__'], 1);
    const inputs = setAt(wired, '__proto__', ['inputs', 'constructor', 'list'], 2).nodes[0]?.inputs;
    expect(JSON.stringify(inputs)).toBe('{"__proto__":1,"constructor":{"list":2}}');
    const moved = move(named, [['__proto__', [1.2, 2]]]);
    expect(JSON.stringify(moved.ui)).toBe('{"positions":{"__proto__":[1,2]}}');
    expect(placesOf(renameNode(moved, '__proto__', 'toString'))).toEqual(new Map([['toString', [1, 2]]]));
  });

  it('drops places that are none', () => {
    const positions = { photo: { x: 1, y: 2 }, detect: ['a', 'b'], out: [1, 2] };
    const odd = { ...start, ui: { positions } } as unknown as Definition;
    expect(move(odd, [['min', [5, 5]]]).ui?.positions).toEqual({ out: [1, 2], min: [5, 5] });
    expect(removeNodes(odd, new Set(['min'])).ui?.positions).toEqual({ out: [1, 2] });
  });
});

describe('a selector that names an output of a call', () => {
  const definition: Definition = {
    nodes: [
      { id: 'call', type: 'sub_workflow', config: { workflow: 'counter' } },
      { id: 'out', type: 'json_output', inputs: { n: '$nodes.call.answer.n', m: '$nodes.call.m' } },
    ],
  };

  it('is an edge, and follows its node', () => {
    const edges = edgesOf(definition);
    expect(edges.map(edge => edge.sourcePort)).toEqual(['answer.n', 'm']);
    expect(renameNode(definition, 'call', 'called').nodes[1]?.inputs).toEqual({
      n: '$nodes.called.answer.n',
      m: '$nodes.called.m',
    });
    expect(removeNodes(definition, new Set(['call'])).nodes[0]?.inputs).toBeUndefined();
  });

  it('gives an input a name that may be one', () => {
    const target = { id: 't', type: 'json_output' };
    expect(inputName(target, { node: 'call', port: 'answer.n' })).toBe('n');
    expect(inputName(target, { node: 'call', port: 'answer.value' })).toBe('call');
    expect(inputName(target, { node: 'call', port: '*' })).toBe('call');
  });
});
