import { expect, it } from 'vitest';
import { createSubmissionKeys } from './submissionKeys';

it('has one key for what is sent again, and another for anything else', () => {
  const keys = createSubmissionKeys();
  const first = keys.keyOf({ input: 1 });
  expect(first).toMatch(/^[0-9a-f]{32}$/);
  expect(keys.keyOf({ input: 1 })).toBe(first);
  const other = keys.keyOf({ input: 2 });
  expect(other).not.toBe(first);
  keys.answered();
  expect(keys.keyOf({ input: 2 })).not.toBe(other);
});
