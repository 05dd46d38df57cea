/** Where a node run's time went, in the order in which it was spent. */
import type { JobMetrics, NodeRun } from '~/api/types';

export interface Phase {
  name: string;
  ms: number;
  colour: string;
}

const PHASES: [string, keyof JobMetrics & `${string}_ms`, string][] = [
  ['queue wait', 'queue_wait_ms', 'var(--phase-wait)'],
  ['model load', 'model_load_time_ms', 'var(--phase-load)'],
  ['fetch', 'fetch_ms', 'var(--phase-fetch)'],
  ['decode', 'decode_ms', 'var(--phase-decode)'],
  ['preprocess', 'preprocess_ms', 'var(--phase-prepare)'],
  ['batch wait', 'batch_wait_ms', 'var(--phase-batch)'],
  ['inference', 'inference_time_ms', 'var(--phase-inference)'],
  ['postprocess', 'postprocess_ms', 'var(--phase-post)'],
  ['upload', 'upload_ms', 'var(--phase-upload)'],
];

/** What the worker spent that is none of these: `total_time_ms` begins when the job is taken. */
const OTHER = { name: 'other', colour: 'var(--phase-other)' };

/** Less than this is not worth a colour. */
const LEAST_MS = 0.05;

export function phasesOf(run: NodeRun): Phase[] {
  const { metrics } = run;
  if (!metrics) return [];
  const named = PHASES.map(([name, field, colour]) => ({ name, ms: metrics[field] ?? 0, colour }));
  const known = named.reduce((sum, phase) => sum + phase.ms, 0);
  // Hand-over between the stages.
  const rest = metrics.total_time_ms + metrics.queue_wait_ms - known;
  return [...named, { ...OTHER, ms: rest }].filter(phase => phase.ms >= LEAST_MS);
}

/** The phases' names and colours, for a legend. */
export const LEGEND = [...PHASES.map(([name, , colour]) => ({ name, colour })), OTHER];
