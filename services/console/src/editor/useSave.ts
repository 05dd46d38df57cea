import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useCallback, useMemo } from 'react';
import { useNavigate } from 'react-router';
import { saveWorkflow, workflowQuery } from '~/api/queries';
import { ProblemError } from '~/api/request';
import type { WorkflowRecord } from '~/api/types';
import { notifyDone, notifyProblem } from '~/ui/notify';
import { forgetStart } from '~/workflows/start';
import { useEditorStore } from './store';

export interface Save {
  run(): void;
  pending: boolean;
}

/** Saves a new version. Two people who save at once do not undo each other: the second is asked. */
export function useSave(place: string, record: WorkflowRecord | null): Save {
  const store = useEditorStore();
  const queries = useQueryClient();
  const navigate = useNavigate();
  const { mutate, isPending } = useMutation({
    mutationFn: (force: boolean) =>
      saveWorkflow(
        record?.id ?? null,
        store.getState().history.present,
        force ? null : store.getState().base,
      ),
    onSuccess: saved => {
      // The server pins the blocks' versions; what it has is what is saved.
      store.getState().markSaved(store.getState().history.present, saved.version);
      queries.setQueryData(workflowQuery(saved.id).queryKey, saved);
      void queries.invalidateQueries({ queryKey: ['workflows', 'list'] });
      void queries.invalidateQueries({ queryKey: ['workflows', saved.id, 'versions'] });
      notifyDone(`Saved as version ${saved.version}`);
      if (!record) {
        forgetStart(place);
        void navigate(`/workflows/${saved.id}`, { replace: true, state: { keep: true } });
      }
    },
    onError: error => {
      const conflict = error instanceof ProblemError && [409, 412].includes(error.status);
      if (!conflict) notifyProblem('It was not saved', error);
      else if (
        window.confirm(
          'Somebody saved another version meanwhile. Save yours as the newest? Theirs stays among the versions.',
        )
      ) {
        mutate(true);
      }
    },
  });
  const run = useCallback(() => mutate(false), [mutate]);
  return useMemo(() => ({ run, pending: isPending }), [run, isPending]);
}
