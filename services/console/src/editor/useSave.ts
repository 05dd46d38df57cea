import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useCallback, useMemo, useRef } from 'react';
import { useNavigate } from 'react-router';
import { saveWorkflow, workflowQuery } from '~/api/queries';
import { isMissing, ProblemError } from '~/api/request';
import type { Definition, WorkflowRecord } from '~/api/types';
import { moveGiven } from '~/run/given';
import { notifyDone, notifyProblem } from '~/ui/notify';
import { forgetStart } from '~/workflows/start';
import { savedFrom } from './editing';
import type { DraftKeeper } from './followDraft';
import { isDirty, useEditorStore } from './store';

export interface Save {
  run(): void;
  pending: boolean;
}

interface Options {
  place: string;
  record: WorkflowRecord | null;
  draft: Pick<DraftKeeper, 'moveTo'>;
}

/** Saves a new version, one at a time. Two people who save at once do not undo each other: the second is shown what came first. */
export function useSave({ place, record, draft }: Options): Save {
  const store = useEditorStore();
  const queries = useQueryClient();
  const navigate = useNavigate();
  // A second press may come before the page has drawn that the first is under way.
  const saving = useRef(false);
  const { mutate, isPending } = useMutation({
    // By the editor's own word, not the page's: the page learns of its workflow with its next drawing.
    mutationFn: (sent: Definition) => saveWorkflow(store.getState().id, sent, store.getState().base),
    onSuccess: (saved, sent) => {
      // What was sent is what is saved, whatever was done while the answer was on its way. The server pins the blocks' versions.
      store.getState().markSaved({ id: saved.id, definition: sent, version: saved.version });
      queries.setQueryData(workflowQuery(saved.id).queryKey, saved);
      void queries.invalidateQueries({ queryKey: ['workflows', 'list'] });
      void queries.invalidateQueries({ queryKey: ['workflows', saved.id, 'versions'] });
      notifyDone(`Saved as version ${saved.version}`);
      if (!record) {
        draft.moveTo(saved.id);
        moveGiven(place, saved.id);
        forgetStart(place);
      }
    },
    onError: error => {
      const { id } = store.getState();
      // What is there by now is shown, with what can be done: NewerVersion, or that there is nothing any more.
      if (id && (isConflict(error) || isMissing(error)))
        void queries.invalidateQueries({ queryKey: workflowQuery(id).queryKey });
      notifyProblem('It was not saved', isConflict(error) ? OVERTAKEN : error);
    },
    onSettled: () => {
      saving.current = false;
    },
  });
  const run = useCallback(() => {
    const untaken = store.getState().settle();
    if (untaken !== null) return notifyProblem('It was not saved', untaken);
    const state = store.getState();
    if (saving.current || !isDirty(state)) return;
    saving.current = true;
    mutate(state.history.present, {
      // Only from here: whoever has gone elsewhere meanwhile stays there.
      onSuccess: saved => {
        if (record) return;
        // At once: what is done next is done by the page of the saved workflow.
        const state = savedFrom(place);
        void navigate(`/workflows/${saved.id}`, { replace: true, flushSync: true, state });
      },
    });
  }, [store, mutate, navigate, record, place]);
  return useMemo(() => ({ run, pending: isPending }), [run, isPending]);
}

const OVERTAKEN =
  'Somebody saved another version meanwhile. Above the canvas you can see what changed, and save yours all the same.';

function isConflict(error: unknown): boolean {
  return error instanceof ProblemError && [409, 412].includes(error.status);
}
