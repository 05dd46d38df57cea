import { useEffect } from 'react';
import { ProblemError, request } from '~/api/request';
import type { Validation } from '~/api/types';
import { useMay } from '~/login/who';
import { indexFaults, NO_FAULTS } from './document/faults';
import { useEditor, useEditorStore } from './store';

/** Typing is let finish first. */
const PAUSE_MS = 250;

/** Asks the server what it thinks of every change, once typing pauses. */
export function useValidation(): void {
  const store = useEditorStore();
  const definition = useEditor(state => state.history.present);
  const may = useMay('run') === true;
  useEffect(() => {
    const asking = new AbortController();
    const ask = async (): Promise<void> => {
      const { judge, verdict } = store.getState();
      judge({ ...verdict, state: 'checking' });
      try {
        const answer = await request<Validation>('/workflows/validate', {
          method: 'POST',
          body: definition,
          signal: asking.signal,
        });
        judge({ state: 'valid', of: definition, inputs: answer.inputs, count: 0 }, NO_FAULTS);
      } catch (error) {
        if (asking.signal.aborted) return;
        const faults =
          error instanceof ProblemError && error.status === 422 ? error.problem.errors : undefined;
        if (!faults) judge({ ...verdict, state: 'unknown', of: definition });
        else {
          judge(
            { ...verdict, state: 'invalid', of: definition, count: faults.length },
            indexFaults(definition, faults),
          );
        }
      }
    };
    // An empty canvas is no mistake yet, and to a key that only reads the server does not say.
    if (definition.nodes.length === 0 || !may) {
      store.getState().judge({ state: 'unknown', of: null, inputs: [], count: 0 }, NO_FAULTS);
      return;
    }
    const timer = setTimeout(() => void ask(), PAUSE_MS);
    return () => {
      clearTimeout(timer);
      asking.abort();
    };
  }, [store, definition, may]);
}
