import { MantineProvider } from '@mantine/core';
import { createElement as make } from 'react';
import { renderToStaticMarkup } from 'react-dom/server';
import { expect, it, vi } from 'vitest';
import { ProblemError } from '~/api/request';
import type { Problem } from '~/api/types';
import { ProblemNotice } from './ProblemNotice';

const fault = (message: string, more: object = {}) => ({
  code: 'X',
  pointer: `/${message}`,
  message,
  ...more,
});

function shown(detail: string, ...errors: object[]): string {
  vi.stubGlobal('matchMedia', () => ({ matches: false, addEventListener: () => {} }));
  const error = new ProblemError({ title: 'No', detail, status: 422, errors } as unknown as Problem);
  const children = make(ProblemNotice, { error });
  const page = document.createElement('div');
  page.innerHTML = renderToStaticMarkup(make(MantineProvider, { env: 'test', children }));
  page.querySelectorAll('style').forEach(style => style.remove());
  return page.textContent ?? '';
}

it('says one fault once, with its place and what to do', () => {
  expect(shown('it is wrong', fault('it is wrong', { node: 'detect', hint: 'mend it' }))).toBe(
    'Noit is wrongAt detect→ mend it',
  );
});

it('says several one by one, and one that the detail does not name', () => {
  expect(shown('two are wrong', fault('a'), fault('b'))).toBe('Notwo are wrongab');
  expect(shown('no inputs fit', fault('a'))).toBe('Nono inputs fita');
});
