import { expect, it } from 'vitest';
import { wholeLabel } from './label';

it('is looked for once it has a name and a value', () => {
  for (const half of ['', ' ', 'team', 'team:', 'team: ', ':vision', '='])
    expect(wholeLabel(half)).toBeUndefined();
  for (const whole of ['team:v', 'team=vision', 'team:a:b']) expect(wholeLabel(whole)).toBe(whole);
  expect(wholeLabel(' team:vision ')).toBe('team:vision');
});
