import { useCallback } from 'react';
import { useGoFromHere } from '~/lib/useLeaving';
import { notifyDone } from '~/ui/notify';

const tellOfIt = (): void => notifyDone('The run has begun');

/** Goes to a run that has begun. Whoever has gone elsewhere meanwhile stays there, and is told of it. */
export function useGoToRun(): (id: string) => void | Promise<void> {
  const go = useGoFromHere(tellOfIt);
  return useCallback(id => go(`/executions/${id}`), [go]);
}
