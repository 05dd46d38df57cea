import { useMemo } from 'react';
import type { Json } from '~/api/types';
import { asOverlay, asReference } from '~/lib/values';
import type { Candidate } from '~/viewer/layers';
import { useLive } from '../live/context';
import type { NodeState } from '../live/state';
import { useResolved } from './useResolved';

/** Node runs that are looked through, and values that are fetched for it. */
const MOST_RUNS = 400;
const MOST_FETCHED = 24;

/** Everything in the run that may be drawn over one of its pictures. */
export function useCandidates(): Candidate[] {
  const nodes = useLive(live => live.run.nodes);
  const found = useMemo(() => gather(nodes), [nodes]);
  const values = useMemo(() => found.map(({ value }) => value), [found]);
  const resolved = useResolved(values);
  return useMemo(
    () => found.map(({ label }, index) => ({ label, value: resolved[index] })),
    [found, resolved],
  );
}

function gather(nodes: ReadonlyMap<string, NodeState>): { label: string; value: Json }[] {
  const found: { label: string; value: Json }[] = [];
  let [looked, references] = [0, 0];
  for (const node of nodes.values()) {
    for (const run of node.runs.values()) {
      looked += 1;
      if (looked > MOST_RUNS) return found;
      for (const [port, value] of Object.entries(run.outputs ?? {})) {
        const isReference = asReference(value) !== null && /detections|masks|kept|items/.test(port);
        if (isReference) references += 1;
        if ((isReference && references <= MOST_FETCHED) || asOverlay(value)) {
          found.push({ label: `${node.id}${run.path ?? ''}.${port}`, value });
        }
      }
    }
  }
  return found;
}
