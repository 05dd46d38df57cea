import { MantineProvider } from '@mantine/core';
import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { createElement as make } from 'react';
import { renderToStaticMarkup } from 'react-dom/server';
import { expect, it, vi } from 'vitest';
import type { Json } from '~/api/types';
import { Values } from './Values';

function shown(entries: [string, Json][]): HTMLElement {
  vi.stubGlobal('matchMedia', () => ({ matches: false, addEventListener: () => {} }));
  const values = make(MantineProvider, { env: 'test', children: make(Values, { entries }) });
  const page = document.createElement('div');
  page.innerHTML = renderToStaticMarkup(
    make(QueryClientProvider, { client: new QueryClient(), children: values }),
  );
  return page;
}

it('has one panel for all short values, and one for each of the others', () => {
  const page = shown([
    ['answer.count', 3],
    ['answer.boxes', [1, 2]],
    ['answer.name', ''],
    ['answer.none', null],
    ['answer.text', 'a\nb'],
  ]);
  const lines = [...page.querySelectorAll('dl > div')].map(line => line.textContent);
  expect(lines).toEqual(['answer.count3', 'answer.name', 'answer.nonenull']);
  const titles = [...page.querySelectorAll('h2')].map(title => title.textContent);
  expect(titles).toEqual(['answer.boxes', 'answer.text']);
  expect(page.querySelectorAll('section')).toHaveLength(3);
});
