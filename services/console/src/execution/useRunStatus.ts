import type { Execution, ExecutionStatus } from '~/api/types';
import { useLive } from './live/context';
import { isTerminal } from './live/state';

/** How the run stands: as the stream tells, unless it has said nothing yet or the record knows of the end already. */
export function useRunStatus(execution: Execution | undefined): ExecutionStatus {
  const recorded = execution?.status;
  return useLive(({ ready, run }) => {
    if (recorded === undefined) return run.status;
    return ready && !isTerminal(recorded) ? run.status : recorded;
  });
}
