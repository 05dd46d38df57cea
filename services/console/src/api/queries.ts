/** What the pages read, as queries that are shared, kept for a while and refreshed. */
import { queryOptions } from '@tanstack/react-query';
import { request, send } from './request';
import type {
  Admission,
  Block,
  Definition,
  EventEnvelope,
  Execution,
  ExecutionSummary,
  Job,
  Json,
  Model,
  NodeRun,
  QueueDepth,
  Stats,
  WorkflowRecord,
  WorkflowSummary,
  WorkflowVersion,
  Worker,
} from './types';

const FOREVER = { staleTime: Infinity, gcTime: 5 * 60_000 } as const;

export const blocksQuery = () =>
  queryOptions({
    queryKey: ['blocks'],
    queryFn: ({ signal }) => request<{ blocks: Block[] }>('/blocks', { signal }).then(page => page.blocks),
    staleTime: 10 * 60_000,
  });

export interface Page<T> {
  rows: T[];
  next: string | null;
}

export async function workflowsPage(
  cursor: string | null,
  signal?: AbortSignal,
): Promise<Page<WorkflowSummary>> {
  const query = new URLSearchParams({ limit: '100', ...(cursor ? { cursor } : {}) });
  const page = await request<{ workflows: WorkflowSummary[]; next_cursor: string | null }>(
    `/workflows?${query}`,
    { signal },
  );
  return { rows: page.workflows, next: page.next_cursor };
}

export const workflowQuery = (id: string) =>
  queryOptions({
    queryKey: ['workflows', id],
    queryFn: ({ signal }) => request<WorkflowRecord>(`/workflows/${id}`, { signal }),
  });

export const versionsQuery = (id: string) =>
  queryOptions({
    queryKey: ['workflows', id, 'versions'],
    queryFn: ({ signal }) =>
      request<{ versions: WorkflowVersion[] }>(`/workflows/${id}/versions`, { signal }).then(
        page => page.versions,
      ),
  });

export const versionQuery = (id: string, version: number) =>
  queryOptions({
    queryKey: ['workflows', id, 'versions', version],
    queryFn: ({ signal }) => request<WorkflowRecord>(`/workflows/${id}/versions/${version}`, { signal }),
    ...FOREVER,
  });

export interface ExecutionFilter {
  status?: string;
  workflow_id?: string;
  label?: string;
  limit?: number;
}

export async function executionsPage(
  filter: ExecutionFilter,
  cursor: string | null,
  signal?: AbortSignal,
): Promise<Page<ExecutionSummary>> {
  const query = new URLSearchParams({ limit: String(filter.limit ?? 50) });
  for (const name of ['status', 'workflow_id', 'label'] as const) {
    const value = filter[name];
    if (value) query.set(name, value);
  }
  if (cursor) query.set('cursor', cursor);
  const page = await request<{ executions: ExecutionSummary[]; next_cursor: string | null }>(
    `/executions?${query}`,
    { signal },
  );
  return { rows: page.executions, next: page.next_cursor };
}

export const executionQuery = (id: string) =>
  queryOptions({
    queryKey: ['executions', id],
    queryFn: ({ signal }) => request<Execution>(`/executions/${id}`, { signal }),
  });

/** The definition a run walked: runs name it by its digest. */
export const definitionQuery = (digest: string | undefined) =>
  queryOptions({
    queryKey: ['definitions', digest],
    queryFn: ({ signal }) => request<Definition>(`/blobs/${digest}`, { signal }),
    enabled: digest !== undefined,
    ...FOREVER,
  });

/** A value that was too large to travel: `{"$value": digest}`. */
export const valueQuery = (digest: string | undefined) =>
  queryOptions({
    queryKey: ['values', digest],
    queryFn: ({ signal }) => request<Json>(`/blobs/${digest}`, { signal }),
    enabled: digest !== undefined,
    ...FOREVER,
  });

export async function nodeRunsPage(
  execution: string,
  after: string | null,
  signal?: AbortSignal,
): Promise<Page<NodeRun>> {
  const query = new URLSearchParams({ limit: '1000', ...(after ? { after } : {}) });
  const page = await request<{ nodes: NodeRun[]; next_after: string | null }>(
    `/executions/${execution}/nodes?${query}`,
    { signal },
  );
  return { rows: page.nodes, next: page.next_after };
}

export async function eventsPage(
  execution: string,
  from: string,
  signal?: AbortSignal,
): Promise<Page<EventEnvelope>> {
  const page = await request<{ events: EventEnvelope[]; next_from: string | null }>(
    `/executions/${execution}/events?from=${encodeURIComponent(from)}`,
    { signal },
  );
  return { rows: page.events, next: page.next_from };
}

export const workersQuery = () =>
  queryOptions({
    queryKey: ['workers'],
    queryFn: ({ signal }) =>
      request<{ workers: Worker[] }>('/workers', { signal }).then(page => page.workers),
    refetchInterval: 5_000,
  });

export const queuesQuery = () =>
  queryOptions({
    queryKey: ['queues'],
    queryFn: ({ signal }) => request<{ queues: QueueDepth[]; admission: Admission }>('/queues', { signal }),
    refetchInterval: 3_000,
  });

export const modelsQuery = () =>
  queryOptions({
    queryKey: ['models'],
    queryFn: ({ signal }) => request<{ models: Model[] }>('/models', { signal }).then(page => page.models),
    refetchInterval: 10_000,
  });

export const statsQuery = (window: string) =>
  queryOptions({
    queryKey: ['stats', window],
    queryFn: ({ signal }) => request<Stats>(`/stats?window=${window}`, { signal }),
    refetchInterval: 10_000,
    placeholderData: previous => previous,
  });

export const failedJobsQuery = () =>
  queryOptions({
    queryKey: ['jobs', 'failed'],
    queryFn: ({ signal }) =>
      request<{ jobs: Job[] }>('/inference/jobs?status=failed&limit=100', { signal }).then(page => page.jobs),
    refetchInterval: 10_000,
  });

/** The saved workflow with the tag that a save must name. */
export async function saveWorkflow(
  id: string | null,
  definition: Definition,
  version: number | null,
): Promise<WorkflowRecord> {
  const headers: Record<string, string> = version === null ? {} : { 'if-match': `"${version}"` };
  const path = id === null ? '/workflows' : `/workflows/${id}`;
  const response = await send(path, { method: id === null ? 'POST' : 'PUT', body: definition, headers });
  return (await response.json()) as WorkflowRecord;
}
