/**
 * The run's state after some messages. Durable events count once and in order, by `seq`; live ones (queued, started,
 * progress) never undo what a durable one said. A whole batch makes one new state, so that a frame renders once.
 */
import type { EventEnvelope, Execution, JsonObject, NodeRun, NodeStatus, Snapshot } from '~/api/types';
import {
  emptyCounts,
  isTerminal,
  type Message,
  type NodeCounts,
  type NodeState,
  type RunState,
} from './state';

interface NodeDraft extends NodeState {
  counts: NodeCounts;
  total: number;
  runs: Map<string, NodeRun>;
  latest: NodeRun;
  fraction: number | null;
}

/** A state that may be written to until the batch is through. */
interface Draft extends Omit<RunState, 'nodes' | 'counts'> {
  nodes: Map<string, NodeState>;
  counts: NodeCounts;
  touched: Map<string, NodeDraft>;
}

export function applyAll(state: RunState, messages: readonly Message[]): RunState {
  let draft = open(state);
  for (const message of messages) draft = apply(draft, message);
  const { touched, ...result } = draft;
  for (const [id, node] of touched) result.nodes.set(id, node);
  return result;
}

function open(state: RunState): Draft {
  return { ...state, nodes: new Map(state.nodes), counts: { ...state.counts }, touched: new Map() };
}

function apply(draft: Draft, message: Message): Draft {
  switch (message.kind) {
    case 'snapshot':
      return fromSnapshot(draft, message.snapshot);
    case 'event':
      return withEvent(draft, message.event);
    case 'runs':
      message.runs.forEach(run => addMissing(draft, run));
      return draft;
    case 'record':
      return draft.epoch > 0 ? draft : { ...draft, ...fromRecord(draft, message.execution) };
    case 'progress':
      return { ...draft, total: Math.max(draft.total, message.progress.total) };
  }
}

function fromSnapshot(draft: Draft, snapshot: Snapshot): Draft {
  const { progress } = snapshot;
  const stale = snapshot.epoch < draft.epoch || (snapshot.epoch === draft.epoch && snapshot.seq < draft.seq);
  if (stale) return draft;
  const fresh: Draft = {
    id: snapshot.execution_id,
    workflowId: snapshot.workflow_id ?? null,
    status: snapshot.status,
    epoch: snapshot.epoch,
    seq: snapshot.seq,
    createdAt: snapshot.created_at,
    startedAt: snapshot.started_at ?? null,
    completedAt: snapshot.completed_at ?? null,
    outputs: snapshot.outputs ?? null,
    error: snapshot.error ?? null,
    nodes: new Map(),
    counts: emptyCounts(),
    total: progress.total,
    omitted: snapshot.nodes_omitted ?? 0,
    // What was cancelled is among what was skipped.
    ended: progress.completed + progress.failed + progress.skipped,
    gap: false,
    touched: new Map(),
  };
  snapshot.nodes.forEach(run => put(fresh, run));
  return fresh;
}

/** The run itself; the nodes come by themselves. It is in no epoch: any snapshot is newer. */
function fromRecord(draft: Draft, execution: Execution): Partial<Omit<RunState, 'nodes' | 'counts'>> {
  return {
    workflowId: execution.workflow_id ?? null,
    status: execution.status,
    createdAt: execution.created_at ?? draft.createdAt,
    startedAt: execution.started_at ?? null,
    completedAt: execution.completed_at ?? null,
    outputs: execution.outputs ?? null,
    error: execution.error ?? null,
    total: execution.progress.total,
  };
}

/** `millrace.workflow.node.completed` as `node.completed`. */
export function shortType(type: string): string {
  return type.replace(/^millrace\./, '').replace(/^workflow\./, '');
}

function withEvent(draft: Draft, event: EventEnvelope): Draft {
  const type = shortType(event.type);
  if (event.seq == null || event.epoch == null) {
    withLive(draft, type, event);
    return draft;
  }
  if (event.epoch < draft.epoch) return draft;
  if (event.epoch > draft.epoch && draft.epoch > 0) return { ...draft, gap: true };
  if (event.seq <= draft.seq) return draft;
  if (event.seq > draft.seq + 1) return { ...draft, gap: true };
  const next = { ...draft, epoch: event.epoch, seq: event.seq };
  if (type.startsWith('node.')) {
    const run = event.data as unknown as NodeRun;
    put(next, run);
    return isTerminal(run.status) ? { ...next, ended: next.ended + 1 } : next;
  }
  return { ...next, ...withRunEvent(type, event) };
}

function withRunEvent(type: string, event: EventEnvelope): Partial<Omit<RunState, 'nodes' | 'counts'>> {
  const { data } = event;
  switch (type) {
    case 'started':
      return { status: 'running', startedAt: Date.parse(event.time), ...acceptedAt(data) };
    case 'completed':
    case 'failed':
    case 'cancelled':
      return {
        status: (data.status ?? type) as RunState['status'],
        startedAt: (data.started_at as number | null) ?? null,
        completedAt: (data.completed_at as number | null) ?? Date.parse(event.time),
        outputs: (data.outputs as JsonObject | null) ?? null,
        error: (data.error as unknown as RunState['error']) ?? null,
      };
    default:
      return {};
  }
}

function acceptedAt(data: JsonObject): { createdAt?: number } {
  const accepted = data.accepted as JsonObject | undefined;
  return typeof accepted?.created_at === 'number' ? { createdAt: accepted.created_at } : {};
}

function withLive(draft: Draft, type: string, event: EventEnvelope): void {
  if (!event.nodeid) return;
  const known = draft.touched.get(event.nodeid) ?? draft.nodes.get(event.nodeid);
  const before = known?.runs.get(event.path ?? '');
  const attempt = event.attempt ?? before?.attempt ?? 1;
  if (before && (isTerminal(before.status) || attempt < before.attempt)) return;
  const at = Date.parse(event.time);
  const base: NodeRun = {
    ...(before ?? { block: '' }),
    node_id: event.nodeid,
    status: before?.status ?? 'pending',
    attempt,
    ...(event.path ? { path: event.path } : {}),
  };
  if (type === 'node.queued' && base.status !== 'running') {
    put(draft, { ...base, status: 'queued', queued_at: at });
  } else if (type === 'node.started') {
    const worker = event.data.worker_id;
    put(draft, {
      ...base,
      status: 'running',
      started_at: at,
      ...(typeof worker === 'string' && { worker_id: worker }),
    });
  } else if (type === 'node.progress' || type === 'inference.progress') {
    put(draft, { ...base, status: 'running' }).fraction = fractionOf(event.data);
  }
}

/** Workers say `fraction` (0 to 1), `percent`, or `step` of `steps`. */
function fractionOf(data: JsonObject): number | null {
  const number = (name: string) => (typeof data[name] === 'number' ? data[name] : null);
  const [fraction, percent, step, steps] = [
    number('fraction'),
    number('percent'),
    number('step'),
    number('steps'),
  ];
  if (fraction !== null) return Math.min(1, Math.max(0, fraction));
  if (percent !== null) return Math.min(1, Math.max(0, percent / 100));
  return step !== null && steps ? Math.min(1, step / steps) : null;
}

/** From the record, which may be behind: only what is not known, or has gone on. */
function addMissing(draft: Draft, run: NodeRun): void {
  const known = draft.touched.get(run.node_id) ?? draft.nodes.get(run.node_id);
  const before = known?.runs.get(run.path ?? '');
  if (!before || isFurther(run, before)) put(draft, run);
}

const ORDER: NodeStatus[] = ['pending', 'queued', 'running'];

function isFurther(run: NodeRun, before: NodeRun): boolean {
  if (isTerminal(before.status)) return false;
  if (isTerminal(run.status)) return true;
  if (run.attempt !== before.attempt) return run.attempt > before.attempt;
  return ORDER.indexOf(run.status) > ORDER.indexOf(before.status);
}

/** Puts a node run in its place and keeps the counts. */
function put(draft: Draft, run: NodeRun): NodeDraft {
  const node = touch(draft, run);
  const path = run.path ?? '';
  const before = node.runs.get(path);
  if (before) count(draft, node, before.status, -1);
  else node.total += 1;
  count(draft, node, run.status, 1);
  node.runs.set(path, run);
  node.latest = run;
  node.fraction = null;
  return node;
}

function touch(draft: Draft, run: NodeRun): NodeDraft {
  const touched = draft.touched.get(run.node_id);
  if (touched) return touched;
  const known = draft.nodes.get(run.node_id);
  const node: NodeDraft = known
    ? { ...known, counts: { ...known.counts }, runs: known.runs as Map<string, NodeRun> }
    : { id: run.node_id, counts: emptyCounts(), total: 0, runs: new Map(), latest: run, fraction: null };
  draft.touched.set(run.node_id, node);
  return node;
}

function count(draft: Draft, node: NodeDraft, status: NodeStatus, by: 1 | -1): void {
  node.counts[status] += by;
  draft.counts[status] += by;
}
