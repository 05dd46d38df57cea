import { expect, it } from 'vitest';
import { fileName } from './download';

it('a file is called as the workflow is, but for what systems reserve', () => {
  expect(fileName('Größe prüfen 検査.json')).toBe('Größe-prüfen-検査.json');
  expect(fileName('../a\\b: "c"?\u0000.json')).toBe('a-b-c-.json');
  expect(fileName('run (2), 50%.json')).toBe('run-(2),-50%.json');
  expect(fileName('...')).toBe('download');
});
