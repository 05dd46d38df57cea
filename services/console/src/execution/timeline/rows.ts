/** The rows of the waterfall: nodes in the order in which they began, and the items of those that are opened. */
import type { NodeRun } from '~/api/types';
import type { NodeState } from '../live/state';
import { byPath } from '../panel/byPath';

export interface Span {
  from: number;
  to: number;
}

export interface Row extends Span {
  key: string;
  label: string;
  node: string;
  /** How many items a loop's row stands for; 0 for a single node run. */
  items: number;
  open: boolean;
  run: NodeRun | null;
}

/** Begin and end of a node run; one that is under way ends now. */
export function spanOf(run: NodeRun, now: number): Span | null {
  const from = run.queued_at ?? run.started_at;
  if (from == null) return null;
  return { from, to: Math.max(from, run.completed_at ?? now) };
}

/** From the first beginning to the last end; a loop may have more runs than a call takes arguments. */
export function around(spans: Iterable<Span | null>): Span | null {
  let whole: Span | null = null;
  for (const span of spans) {
    if (!span) continue;
    whole ??= { from: span.from, to: span.to };
    whole.from = Math.min(whole.from, span.from);
    whole.to = Math.max(whole.to, span.to);
  }
  return whole;
}

function* spansOf(runs: Iterable<NodeRun>, now: number): Generator<Span | null> {
  for (const run of runs) yield spanOf(run, now);
}

/** The rows; of nodes that began at the same moment, the one that the others waited for comes first. */
export function rowsOf(
  nodes: Iterable<NodeState>,
  opened: ReadonlySet<string>,
  now: number,
  depths: ReadonlyMap<string, number>,
): Row[] {
  const depthOf = (node: NodeState) => depths.get(node.id) ?? 0;
  const rows: Row[] = [];
  const spans = [...nodes].flatMap(node => {
    const whole = around(spansOf(node.runs.values(), now));
    return whole ? [{ node, ...whole }] : [];
  });
  spans.sort((a, b) => a.from - b.from || depthOf(a.node) - depthOf(b.node) || a.to - b.to);
  for (const { node, from, to } of spans) {
    const isLoop = node.total > 1;
    const open = isLoop && opened.has(node.id);
    rows.push({
      key: node.id,
      label: node.id,
      node: node.id,
      items: isLoop ? node.total : 0,
      open,
      run: isLoop ? null : node.latest,
      from,
      to,
    });
    if (!open) continue;
    for (const [path, run] of [...node.runs].sort(([a], [b]) => byPath(a, b))) {
      const span = spanOf(run, now);
      if (span)
        rows.push({
          key: `${node.id}${path}`,
          label: path,
          node: node.id,
          items: 0,
          open: false,
          run,
          ...span,
        });
    }
  }
  return rows;
}

/** Round steps for an axis of `length` milliseconds: at most `most` of them. */
export function ticksOf(length: number, most = 8): number[] {
  const rough = Math.max(length, 1) / most;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map(factor => factor * power).find(one => one >= rough) ?? rough;
  return Array.from({ length: Math.floor(length / step) + 1 }, (_, index) => index * step);
}
