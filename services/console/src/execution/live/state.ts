/** What the console knows of a run while it watches it. */
import type {
  EventEnvelope,
  Execution,
  ExecutionStatus,
  JobError,
  JsonObject,
  NodeRun,
  NodeStatus,
  Progress,
  Snapshot,
} from '~/api/types';

export type NodeCounts = Record<NodeStatus, number>;

/** A node in the run: one node run, or one per item of the loops around it. */
export interface NodeState {
  readonly id: string;
  readonly counts: Readonly<NodeCounts>;
  readonly total: number;
  /** Node runs by path; `''` outside loops. Owned by the reducer, which changes it in place and makes a new `NodeState`. */
  readonly runs: ReadonlyMap<string, NodeRun>;
  /** The node run that changed last. */
  readonly latest: NodeRun;
  /** Share of the running attempt that is done, 0 to 1, where the worker says. */
  readonly fraction: number | null;
}

export interface RunState {
  readonly id: string;
  readonly workflowId: string | null;
  readonly status: ExecutionStatus;
  readonly epoch: number;
  /** The last durable event that is contained in this state. */
  readonly seq: number;
  readonly createdAt: number;
  readonly startedAt: number | null;
  readonly completedAt: number | null;
  readonly outputs: JsonObject | null;
  readonly error: JobError | null;
  readonly nodes: ReadonlyMap<string, NodeState>;
  readonly counts: Readonly<NodeCounts>;
  /** The largest number of node runs anybody spoke of; loops add theirs as they open. */
  readonly total: number;
  /** Node runs that the snapshot left out. They are fetched page by page. */
  readonly omitted: number;
  /** Node runs that are over at `seq`, as the server counts them. */
  readonly ended: number;
  /** Whether events are missing between `seq` and what came after it. */
  readonly gap: boolean;
}

export type Message =
  | { kind: 'snapshot'; snapshot: Snapshot }
  | { kind: 'event'; event: EventEnvelope }
  /** Node runs from the record, for what a snapshot left out. */
  | { kind: 'runs'; runs: NodeRun[] }
  /** The run from the record, for as long as nothing of its log has come. */
  | { kind: 'record'; execution: Execution }
  | { kind: 'progress'; progress: Progress };

const TERMINAL = new Set<string>(['completed', 'failed', 'cancelled', 'skipped', 'timed_out']);

export function isTerminal(status: ExecutionStatus | NodeStatus): boolean {
  return TERMINAL.has(status);
}

export function emptyCounts(): NodeCounts {
  return {
    pending: 0,
    queued: 0,
    running: 0,
    completed: 0,
    failed: 0,
    cancelled: 0,
    skipped: 0,
    timed_out: 0,
  };
}

export function emptyRun(id: string): RunState {
  return {
    id,
    workflowId: null,
    status: 'pending',
    epoch: 0,
    seq: 0,
    createdAt: 0,
    startedAt: null,
    completedAt: null,
    outputs: null,
    error: null,
    nodes: new Map(),
    counts: emptyCounts(),
    total: 0,
    omitted: 0,
    ended: 0,
    gap: false,
  };
}

/**
 * Node runs that a snapshot left out, are over, and have not come from the record either: no event tells of them again. What goes
 * on tells of itself.
 */
export function missingOf({ omitted, ended, counts }: RunState): number {
  const known = Object.entries(counts).reduce((sum, [status, n]) => sum + (TERMINAL.has(status) ? n : 0), 0);
  return Math.min(omitted, Math.max(0, ended - known));
}

/** How far the run is; what was cancelled is counted apart from what was skipped. */
export function progressOf(run: RunState): Progress & { cancelled: number } {
  const { counts } = run;
  return {
    total: Math.max(
      run.total,
      Object.values(counts).reduce((sum, count) => sum + count, 0),
    ),
    completed: counts.completed,
    failed: counts.failed + counts.timed_out,
    skipped: counts.skipped,
    cancelled: counts.cancelled,
    running: counts.queued + counts.running,
  };
}

/** How one node stands as a whole: what is under way goes before what is over, and failures before successes. */
export function statusOf(node: Pick<NodeState, 'counts'>): NodeStatus {
  const { counts } = node;
  const order: NodeStatus[] = [
    'running',
    'queued',
    'failed',
    'timed_out',
    'pending',
    'cancelled',
    'completed',
  ];
  return order.find(status => counts[status] > 0) ?? 'skipped';
}
