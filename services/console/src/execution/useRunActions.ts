import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { request } from '~/api/request';
import { createSubmissionKeys } from '~/lib/submissionKeys';
import { notifyDone, notifyProblem } from '~/ui/notify';
import { useGoToRun } from './useGoToRun';

/** Asks for the run's end; the events say when it has come. */
export function useCancel(id: string) {
  return useMutation({
    mutationFn: () =>
      request(`/executions/${id}/cancel`, { method: 'POST', body: { reason: 'cancelled in the console' } }),
    onSuccess: () => notifyDone('Asked to cancel'),
    onError: error => notifyProblem('It was not cancelled', error),
  });
}

export type Rerun = ReturnType<typeof useRerun>;

/** Runs it once more, reusing what is before `from`, and goes there. The page has one, which outlives the panels of its nodes. */
export function useRerun(id: string) {
  const go = useGoToRun();
  const [keys] = useState(createSubmissionKeys);
  return useMutation({
    mutationFn: (from: string | undefined) => {
      const [path, body] = [`/executions/${id}/rerun`, from ? { from } : {}];
      const headers = { 'idempotency-key': keys.keyOf([path, body]) };
      return request<{ execution_id: string }>(path, { method: 'POST', body, headers });
    },
    onSuccess: run => {
      keys.answered();
      return go(run.execution_id);
    },
    onError: error => notifyProblem('It was not run again', error),
  });
}
