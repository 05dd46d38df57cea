import { useCallback } from 'react';
import { useNavigate } from 'react-router';
import { useLeaving } from '~/lib/useLeaving';
import { notifyDone } from '~/ui/notify';

/** Goes to a run that has begun. Whoever has gone elsewhere meanwhile stays there, and is told of it. */
export function useGoToRun(): (id: string) => void | Promise<void> {
  const navigate = useNavigate();
  const leaving = useLeaving();
  return useCallback(
    id => (leaving().aborted ? notifyDone('The run has begun') : navigate(`/executions/${id}`)),
    [leaving, navigate],
  );
}
