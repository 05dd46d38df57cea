import { useThrottledValue } from '@mantine/hooks';
import { useMemo } from 'react';
import type { Candidate } from '~/viewer/layers';
import { useLive } from '../live/context';
import { gather } from './gather';
import { useResolved } from './useResolved';

/** While a run goes on it is searched anew this often, and not with every event. */
const SEARCH_EVERY_MS = 1_000;

/** Everything in the run that may be drawn over one of its pictures, what is nearest to the item at `path` first. */
export function useCandidates(path: string): Candidate[] {
  const nodes = useThrottledValue(
    useLive(live => live.run.nodes),
    SEARCH_EVERY_MS,
  );
  const found = useMemo(() => gather(nodes, path), [nodes, path]);
  const values = useMemo(() => found.map(({ value }) => value), [found]);
  const resolved = useResolved(values);
  return useMemo(
    () => found.map(({ label }, index) => ({ label, value: resolved[index] })),
    [found, resolved],
  );
}
