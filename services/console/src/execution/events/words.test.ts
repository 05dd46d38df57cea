import { expect, it } from 'vitest';
import { countOf, emptyTitle } from './words';

it('does not say of events that could not be read that there are none', () => {
  const none = { extent: 'failed', read: 0 } as const;
  expect(emptyTitle('durable', '', none)).toBe('The events could not be read');
  expect(emptyTitle('problems', 'detect', none)).toBe('The events could not be read');
  expect(countOf(0, none)).toBe('');
  // Live ones have come, those of the record have not.
  expect(emptyTitle('durable', '', { extent: 'failed', read: 3 })).toBe('The events could not be read');
  expect(emptyTitle('durable', '', { extent: 'growing', read: 0 })).toBe('No event yet');
});

it('says that nothing went wrong of what was read', () => {
  expect(emptyTitle('problems', '', { extent: 'complete', read: 9 })).toBe('Nothing went wrong');
  expect(emptyTitle('problems', '', { extent: 'growing', read: 9 })).toBe('Nothing went wrong so far');
  expect(emptyTitle('problems', '', { extent: 'cut', read: 9 })).toBe(
    'Nothing went wrong in the first events',
  );
  expect(emptyTitle('all', 'x', { extent: 'complete', read: 9 })).toBe('No event matches');
  expect(countOf(2, { extent: 'cut', read: 9 })).toBe('2 of the first 9 events');
});
