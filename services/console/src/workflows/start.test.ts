import { afterEach, describe, expect, it, vi } from 'vitest';
import { forgetStart, freshAddress, startingPoint, startWith } from './start';

const named = (name: string) => ({ name, nodes: [] });
const keyOf = (address: string) => new URL(address, 'http://localhost').searchParams.get('start') ?? '';

afterEach(() => sessionStorage.clear());

describe('a new workflow', () => {
  it('starts with what it was opened with, and not with what another was', () => {
    const [one, other] = [keyOf(startWith(named('one'))), keyOf(startWith(named('other')))];
    expect(startingPoint(one)).toEqual(named('one'));
    expect(startingPoint(other)).toEqual(named('other'));
    expect(startingPoint(keyOf(freshAddress()))).toBeNull();
    forgetStart(one);
    expect(startingPoint(one)).toBeNull();
    expect(startingPoint(other)).toEqual(named('other'));
  });

  it('takes the room of older ones where none is left', () => {
    const old = keyOf(startWith(named('old')));
    const set = Storage.prototype.setItem;
    let full = true;
    vi.spyOn(Storage.prototype, 'setItem').mockImplementation(function (this: Storage, name, value) {
      if (full) {
        full = false;
        throw new DOMException('full', 'QuotaExceededError');
      }
      set.call(this, name, value);
    });
    const fresh = keyOf(startWith(named('fresh')));
    expect(startingPoint(fresh)).toEqual(named('fresh'));
    expect(startingPoint(old)).toBeNull();
  });
});
