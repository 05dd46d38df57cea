/** What the pages read, as queries that are shared, kept for a while and refreshed. */
import { queryOptions } from '@tanstack/react-query';
import { request, send } from './request';
import type {
  Blocks,
  ChangeRecord,
  Changes,
  Collections,
  DeadLetters,
  Definition,
  EventEnvelope,
  EventPage,
  Execution,
  ExecutionPage,
  ExecutionSummary,
  JobPage,
  Json,
  Keys,
  Model,
  Models,
  NodePage,
  NodeRun,
  Queues,
  Schedules,
  Stats,
  Versions,
  Workers,
  WorkflowPage,
  WorkflowRecord,
  WorkflowSummary,
} from './types';

const FOREVER = { staleTime: Infinity, gcTime: 5 * 60_000 } as const;

export const blocksQuery = () =>
  queryOptions({
    queryKey: ['blocks'],
    queryFn: ({ signal }) => request<Blocks>('/blocks', { signal }).then(page => page.blocks),
    staleTime: 10 * 60_000,
  });

export interface Page<T> {
  rows: T[];
  next: string | null;
}

/** Saved workflows, newest first; those whose name contains `name`, where it says something. */
export async function workflowsPage(
  name: string,
  cursor: string | null,
  signal?: AbortSignal,
): Promise<Page<WorkflowSummary>> {
  const query = new URLSearchParams({ limit: '100', ...(name && { name }), ...(cursor && { cursor }) });
  const page = await request<WorkflowPage>(`/workflows?${query}`, { signal });
  return { rows: page.workflows, next: page.next_cursor ?? null };
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
      request<Versions>(`/workflows/${id}/versions`, { signal }).then(page => page.versions),
  });

export const versionQuery = (id: string, version: number) =>
  queryOptions({
    queryKey: ['workflows', id, 'versions', version],
    queryFn: ({ signal }) => request<WorkflowRecord>(`/workflows/${id}/versions/${version}`, { signal }),
    ...FOREVER,
  });

/** A workflow that another one calls: one of its versions, or the newest. */
export const calledQuery = (id: string, version: number | undefined) =>
  queryOptions({
    queryKey: ['workflows', id, ...(version === undefined ? [] : ['versions', version])],
    queryFn: ({ signal }) =>
      request<WorkflowRecord>(
        version === undefined ? `/workflows/${id}` : `/workflows/${id}/versions/${version}`,
        { signal },
      ),
  });

export const schedulesQuery = (id: string) =>
  queryOptions({
    queryKey: ['workflows', id, 'schedules'],
    queryFn: ({ signal }) =>
      request<Schedules>(`/workflows/${id}/schedules`, { signal }).then(page => page.schedules),
    refetchInterval: 10_000,
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
  const page = await request<ExecutionPage>(`/executions?${query}`, { signal });
  return { rows: page.executions, next: page.next_cursor ?? null };
}

export async function changesPage(
  filter: { action: string; target: string },
  cursor: string | null,
  signal?: AbortSignal,
): Promise<Page<ChangeRecord>> {
  const query = new URLSearchParams({ limit: '50' });
  for (const name of ['action', 'target'] as const) {
    if (filter[name]) query.set(name, filter[name]);
  }
  if (cursor) query.set('cursor', cursor);
  const page = await request<Changes>(`/audit?${query}`, { signal });
  return { rows: page.changes, next: page.next_cursor ?? null };
}

export const collectionsQuery = () =>
  queryOptions({
    queryKey: ['collections'],
    queryFn: ({ signal }) => request<Collections>('/collections', { signal }).then(page => page.collections),
    refetchInterval: 10_000,
  });

export const executionQuery = (id: string) =>
  queryOptions({
    queryKey: ['executions', id],
    queryFn: ({ signal }) => request<Execution>(`/executions/${id}`, { signal }),
  });

/** The definition a run walked: runs name it by its digest. */
export const definitionQuery = (digest: string | null | undefined) =>
  queryOptions({
    queryKey: ['definitions', digest],
    queryFn: ({ signal }) => request<Definition>(`/blobs/${digest}`, { signal }),
    enabled: digest != null,
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
  const page = await request<NodePage>(`/executions/${execution}/nodes?${query}`, { signal });
  return { rows: page.nodes, next: page.next_after ?? null };
}

/** The items' numbers just before those of `path`, all of one loop; null before the first. */
function pathBefore(path: string): string | null {
  const numbers = path.slice(1, -1).split(',').map(Number);
  const at = numbers.findLastIndex(number => number > 0);
  if (path === '' || at < 0) return null;
  const before = numbers.map((number, index) => (index < at ? number : index > at ? LAST_ITEM : number - 1));
  return `[${before.join(',')}]`;
}

/** No loop has an item of a higher number. */
const LAST_ITEM = 2 ** 32 - 1;

/** A node run as its page has it, with what it was given; read anew when it has gone on. */
export const nodeRunQuery = (execution: string, { node_id: node, path = '', status, attempt }: NodeRun) =>
  queryOptions({
    queryKey: ['executions', execution, 'nodes', node, path, status, attempt],
    queryFn: async ({ signal }) => {
      const before = pathBefore(path);
      const query = new URLSearchParams({ limit: '1', ...(before && { after: `${node}${before}` }) });
      const address = `/executions/${execution}/nodes/${encodeURIComponent(node)}?${query}`;
      const { nodes } = await request<NodePage>(address, { signal });
      return nodes.find(run => (run.path ?? '') === path) ?? null;
    },
  });

export async function eventsPage(
  execution: string,
  from: string,
  signal?: AbortSignal,
): Promise<Page<EventEnvelope>> {
  const page = await request<EventPage>(`/executions/${execution}/events?from=${encodeURIComponent(from)}`, {
    signal,
  });
  return { rows: page.events, next: page.next_from ?? null };
}

export const workersQuery = () =>
  queryOptions({
    queryKey: ['workers'],
    queryFn: ({ signal }) => request<Workers>('/workers', { signal }).then(page => page.workers),
    refetchInterval: 5_000,
  });

export const queuesQuery = () =>
  queryOptions({
    queryKey: ['queues'],
    queryFn: ({ signal }) => request<Queues>('/queues', { signal }),
    refetchInterval: 3_000,
  });

/** The models of all pages: who picks one by its name has to find it. */
async function everyModel(signal?: AbortSignal, cursor?: string): Promise<Model[]> {
  const page = await request<Models>(cursor ? `/models?cursor=${cursor}` : '/models', { signal });
  return page.next_cursor ? [...page.models, ...(await everyModel(signal, page.next_cursor))] : page.models;
}

export const modelsQuery = () =>
  queryOptions({
    queryKey: ['models'],
    queryFn: ({ signal }) => everyModel(signal),
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
      request<JobPage>('/inference/jobs?status=failed&limit=100', { signal }).then(page => page.jobs),
    refetchInterval: 10_000,
  });

export const keysQuery = () =>
  queryOptions({
    queryKey: ['keys'],
    queryFn: ({ signal }) => request<Keys>('/keys', { signal }).then(page => page.keys),
  });

export const deadLettersQuery = () =>
  queryOptions({
    queryKey: ['dead-letters'],
    queryFn: ({ signal }) =>
      request<DeadLetters>('/dead-letters?limit=100', { signal }).then(page => page.dead_letters),
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
