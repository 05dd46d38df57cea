import { describe, expect, it } from 'vitest';
import { begin, record, redo, undo } from './history';
import { faultsAt, indexFaults } from './faults';

const named = (name: string) => ({ name, nodes: [] });

describe('history', () => {
  it('goes back and forth', () => {
    let history = record(record(begin(named('a')), named('b'), null, 0), named('c'), null, 1);
    history = undo(undo(undo(history)));
    expect(history.present.name).toBe('a');
    expect(redo(redo(redo(history))).present.name).toBe('c');
    expect(record(redo(history), named('d'), null, 2).future).toEqual([]);
  });

  it('takes typing for one step, and not what comes much later', () => {
    let history = begin(named('a'));
    history = record(history, named('ab'), 'name', 0);
    history = record(history, named('abc'), 'name', 500);
    expect(history.past).toHaveLength(1);
    history = record(history, named('abcd'), 'name', 60_000);
    expect(history.past).toHaveLength(2);
    expect(undo(history).present.name).toBe('abc');
  });
});

describe('faults', () => {
  it('are found by node and field', () => {
    const definition = { nodes: [{ id: 'a', type: 'x' }] };
    const fault = (pointer: string) => ({ code: 'C', pointer, message: pointer });
    const index = indexFaults(definition, [
      fault('/nodes/0/config/tile/x~1y'),
      fault('/name'),
      fault('/nodes/7'),
    ]);
    expect(index.rest).toHaveLength(2);
    expect(faultsAt(index.byNode.get('a'), ['config', 'tile'])).toHaveLength(1);
    expect(faultsAt(index.byNode.get('a'), ['inputs'])).toHaveLength(0);
    expect(index.byNode.get('a')?.[0]?.place).toEqual(['config', 'tile', 'x/y']);
  });
});
