import { describe, expect, it } from 'vitest';
import type { Block, Definition } from '~/api/types';
import { placesOf } from '~/graph/places';
import { connect, move } from './document/edit';
import { drawnPlaces } from './document/places';
import { createEditor, hasChanges, hasWork, isDirty, runsOtherwise } from './store';

const named = (name: string, ...ids: string[]): Definition => ({
  name,
  nodes: ids.map(id => ({ id, type: 'delay' })),
});
const saved = (version: number, name: string, ...ids: string[]) => ({
  id: 'w',
  version,
  definition: named(name, ...ids),
});
const open = (version: ReturnType<typeof saved>) =>
  createEditor(version.definition, version, new Map()).getState;

describe('the editor', () => {
  it('knows the version it began with, and the one it saved last', () => {
    const editor = open(saved(4, 'four'));
    expect(editor().base).toBe(4);
    editor().change(() => named('mine'));
    const sent = editor().history.present;
    editor().change(() => named('mine, later'));
    editor().markSaved({ id: 'w', version: 5, definition: sent });
    expect(editor().base).toBe(5);
    expect(isDirty(editor())).toBe(true);
    editor().undo();
    expect(isDirty(editor())).toBe(false);
  });

  it('goes over to a newer version, and undo brings back only what was not saved', () => {
    const editor = open(saved(4, 'four'));
    editor().load(saved(5, 'five'));
    expect([editor().history.present.name, editor().base, isDirty(editor())]).toEqual(['five', 5, false]);
    expect(editor().history.past).toEqual([]);
    editor().change(() => named('mine'));
    editor().load(saved(6, 'six'));
    expect([editor().history.present.name, editor().base, isDirty(editor())]).toEqual(['six', 6, false]);
    editor().undo();
    expect([editor().history.present.name, editor().base, isDirty(editor())]).toEqual(['mine', 6, true]);
  });

  it('takes other blocks in without losing a change', () => {
    const editor = open(saved(1, 'one', 'wait'));
    editor().change(() => named('mine', 'wait'));
    const block = { id: 'delay@1', type: 'delay', version: 1, inputs: [], outputs: [{ name: 'value' }] };
    editor().setCatalogue(new Map([['delay', block as unknown as Block]]));
    expect(editor().history.present.name).toBe('mine');
    expect(editor().ports.get('wait')?.outputs).toEqual([{ name: 'value' }]);
  });

  it('has nothing selected that is not there', () => {
    const editor = open(saved(1, 'one', 'a', 'b'));
    editor().select(['a', 'b']);
    editor().change(() => named('one', 'b'));
    expect([...editor().selection]).toEqual(['b']);
  });

  it('writes down where everything is drawn with the first change, in one step', () => {
    const definition = named('one', 'a', 'b');
    const editor = open({ id: 'w', version: 1, definition });
    const drawn = drawnPlaces(definition);
    editor().change(before => before);
    expect(editor().history.present).toBe(definition);
    editor().change(before =>
      connect(before, { node: 'a', port: 'value' }, { node: 'b', place: ['inputs', 'value'] }),
    );
    expect(placesOf(editor().history.present)).toEqual(drawn);
    editor().undo();
    expect(editor().history.present).toBe(definition);
  });

  it('has work where a save was undone, and none where an example was looked at', () => {
    const example = createEditor(named('example', 'a'), null, new Map()).getState;
    expect(hasWork(example())).toBe(false);
    example().change(() => named('mine', 'a'));
    example().markSaved({ id: 'w', version: 1, definition: example().history.present });
    expect(hasWork(example())).toBe(false);
    example().undo();
    expect(hasWork(example())).toBe(true);
  });

  it('runs as it is saved wherever its boxes lie', () => {
    const editor = open(saved(1, 'one', 'a'));
    editor().change(before => move(before, new Map([['a', [70, 80]]])));
    expect([isDirty(editor()), runsOtherwise(editor())]).toEqual([true, false]);
    editor().change(() => named('one', 'b'));
    expect(runsOtherwise(editor())).toBe(true);
  });

  it('has all that is being typed taken over', () => {
    const editor = open(saved(1, 'one'));
    const taken: string[] = [];
    const forget = editor().onSettle(() => taken.push('a'));
    editor().onSettle(() => taken.push('b'));
    editor().settle();
    forget();
    editor().settle();
    expect(taken).toEqual(['a', 'b', 'b']);
  });

  it('has work in a text that cannot be taken over, which is no change of the document', () => {
    const editor = open(saved(1, 'one', 'a'));
    editor().onSettle(() => editor().setUntaken('half a text'));
    expect(editor().settle()).toBe('half a text');
    expect([isDirty(editor()), hasWork(editor()), hasChanges(editor())]).toEqual([true, true, false]);
    editor().setUntaken(null);
    expect([isDirty(editor()), hasWork(editor())]).toEqual([false, false]);
  });
});
