import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Definition, WorkflowRecord } from '~/api/types';
import { forgetWork, keepDraft, readDraft } from '~/workflows/draft';
import { startWith } from '~/workflows/start';
import { followDraft } from './followDraft';
import { openEditor } from './open';
import { isDirty } from './store';

const PLACE = 'a-workflow';
const named = (name: string): Definition => ({ name, nodes: [{ id: 'a', type: 'delay' }] });
const record = (version: number, name: string) =>
  ({ id: PLACE, version, definition: named(name) }) as unknown as WorkflowRecord;
const open = (saved: WorkflowRecord | null, place = PLACE) => openEditor(place, saved, new Map());

beforeEach(() => vi.useFakeTimers());
afterEach(() => {
  vi.useRealTimers();
  sessionStorage.clear();
});

describe('unsaved work', () => {
  it('is kept after a pause, or at once when the editor is left, and found again as unsaved', () => {
    const store = open(record(3, 'three'));
    const keeper = followDraft(store, PLACE);
    store.getState().change(() => named('mine'));
    expect(readDraft(PLACE)).toBeNull();
    vi.runAllTimers();
    expect(readDraft(PLACE)).toEqual({ base: 3, definition: named('mine') });
    store.getState().change(() => named('mine, too'));
    keeper.stop();

    const again = open(record(4, 'four')).getState;
    expect([again().history.present.name, again().base, isDirty(again())]).toEqual(['mine, too', 3, true]);
    again().undo();
    expect([again().history.present.name, isDirty(again())]).toEqual(['four', false]);
  });

  it('is no longer kept once it is saved, undone or given up', () => {
    const store = open(record(3, 'three'));
    const keeper = followDraft(store, PLACE);
    const edit = (): void => {
      store.getState().change(() => named('mine'));
      vi.runAllTimers();
      expect(readDraft(PLACE)).not.toBeNull();
    };
    edit();
    store.getState().undo();
    vi.runAllTimers();
    expect(readDraft(PLACE)).toBeNull();
    edit();
    store.getState().markSaved({ id: PLACE, version: 4, definition: store.getState().history.present });
    vi.runAllTimers();
    expect(readDraft(PLACE)).toBeNull();
    store.getState().change(() => named('given up'));
    keeper.drop();
    keeper.stop();
    vi.runAllTimers();
    expect(readDraft(PLACE)).toBeNull();
  });

  it('goes with a new workflow to where it was saved', () => {
    const store = open(null, 'new-one');
    const keeper = followDraft(store, 'new-one');
    store.getState().change(() => named('sent'));
    const sent = store.getState().history.present;
    store.getState().change(() => named('later'));
    vi.runAllTimers();
    store.getState().markSaved({ id: PLACE, version: 1, definition: sent });
    keeper.moveTo(PLACE);
    expect(readDraft('new-one')).toBeNull();
    expect(readDraft(PLACE)).toEqual({ base: 1, definition: named('later') });
  });

  it('is none where an example was only looked at', () => {
    const place = startWith(named('example')).split('=')[1] ?? '';
    const store = open(null, place);
    const keeper = followDraft(store, place);
    expect(store.getState().history.present.name).toBe('example');
    keeper.moveTo(place);
    expect(readDraft(place)).toBeNull();
  });

  it('is written when the page goes away, with what is still being typed', () => {
    const store = open(record(3, 'three'));
    const keeper = followDraft(store, PLACE);
    const typed = store.getState().onSettle(() => {
      typed();
      store.getState().change(() => named('typed'));
    });
    window.dispatchEvent(new Event('pagehide'));
    expect(readDraft(PLACE)?.definition.name).toBe('typed');
    keeper.drop();
    store.getState().change(() => named('after it was given up'));
    window.dispatchEvent(new Event('pagehide'));
    expect(readDraft(PLACE)).toBeNull();
  });

  it('is kept when the editor is left, whatever became of what was written before', () => {
    const store = open(record(3, 'three'));
    const keeper = followDraft(store, PLACE);
    store.getState().change(() => named('mine'));
    vi.runAllTimers();
    forgetWork();
    keeper.stop();
    expect(readDraft(PLACE)?.definition.name).toBe('mine');
  });

  it('is gone after a logout', () => {
    keepDraft(PLACE, { base: 1, definition: named('mine') });
    sessionStorage.setItem('of-another', 'x');
    forgetWork();
    expect(readDraft(PLACE)).toBeNull();
    expect(sessionStorage.getItem('of-another')).toBe('x');
  });
});
