/** What a saved workflow takes, as the server says: a picture input may take several by what is done with it. */
import { queryOptions } from '@tanstack/react-query';
import { request } from '~/api/request';
import type { InputSpec, NodeDefinition, Validation, WorkflowRecord } from '~/api/types';

export const inputsQuery = (record: WorkflowRecord) =>
  queryOptions({
    queryKey: ['workflows', record.id, 'versions', record.version, 'inputs'],
    queryFn: ({ signal }) =>
      request<Validation>('/workflows/validate', { method: 'POST', body: record.definition, signal }).then(
        ({ inputs }) => inputs,
      ),
    // Where it no longer compiles, the answer stays the same.
    retry: false,
    staleTime: Infinity,
  });

/** Whether the input takes several; what `specs` do not tell, its settings do. */
export function takesList(node: NodeDefinition, specs: readonly InputSpec[] | undefined): boolean {
  const spec = specs?.find(({ name }) => name === node.id);
  return spec ? spec.kind.startsWith('list<') : node.config?.list === true;
}
