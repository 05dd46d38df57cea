import { QueryClient } from '@tanstack/react-query';
import { afterEach, expect, it, vi } from 'vitest';
import { modelsQuery } from './queries';

afterEach(() => vi.unstubAllGlobals());

it('reads the models of all pages', async () => {
  const asked: string[] = [];
  const pages: Record<string, unknown> = {
    '/api/v1/models': { models: [{ model_id: 'a' }, { model_id: 'b' }], next_cursor: 'after-b' },
    '/api/v1/models?cursor=after-b': { models: [{ model_id: 'c' }], next_cursor: null },
  };
  vi.stubGlobal('fetch', (path: string) => {
    asked.push(path);
    return Promise.resolve(Response.json(pages[path]));
  });
  const models = await new QueryClient().fetchQuery(modelsQuery());
  expect(models.map(model => model.model_id)).toEqual(['a', 'b', 'c']);
  expect(asked).toEqual(Object.keys(pages));
});
