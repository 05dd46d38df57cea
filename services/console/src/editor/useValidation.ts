import { useEffect } from 'react';
import { ProblemError, request } from '~/api/request';
import type { Definition, Fault, Validation } from '~/api/types';
import { indexFaults, NO_FAULTS } from './document/faults';
import { useEditor, useEditorStore, type EditorStore } from './store';

/** Typing is let finish first. */
const PAUSE_MS = 250;
/** Between tries while the server does not say. */
const AGAIN_MS = 5_000;

/** Asks the server what it thinks of every change, once typing pauses; where no answer came, it asks again. */
export function useValidation(): void {
  const store = useEditorStore();
  const definition = useEditor(state => state.history.present);
  useEffect(() => {
    // An empty canvas is no mistake yet.
    if (definition.nodes.length === 0) {
      store.getState().judge({ state: 'unknown', of: null, inputs: [], count: 0, warnings: 0 }, NO_FAULTS);
      return;
    }
    const asking = new AbortController();
    const ask = async (): Promise<void> => {
      const isAnswered = await askFor(store, definition, asking.signal);
      if (!isAnswered && !asking.signal.aborted) timer = setTimeout(() => void ask(), AGAIN_MS);
    };
    let timer = setTimeout(() => {
      const { judge, verdict } = store.getState();
      judge({ ...verdict, state: 'checking' });
      void ask();
    }, PAUSE_MS);
    return () => {
      clearTimeout(timer);
      asking.abort();
    };
  }, [store, definition]);
}

/** Notes what the server says of `definition`; false where it is worth asking again. */
async function askFor(store: EditorStore, definition: Definition, signal: AbortSignal): Promise<boolean> {
  const { judge, verdict } = store.getState();
  try {
    const options = { method: 'POST', body: definition, signal } as const;
    const { inputs, warnings } = await request<Validation>('/workflows/validate', options);
    judge(
      { state: 'valid', of: definition, inputs, count: 0, warnings: warnings.length },
      indexFaults(definition, warnings, 'warnings'),
    );
    return true;
  } catch (error) {
    if (signal.aborted) return true;
    const faults = faultsOf(error);
    if (faults) {
      judge(
        { ...verdict, state: 'invalid', of: definition, count: faults.length, warnings: 0 },
        indexFaults(definition, faults),
      );
    } else judge({ ...verdict, state: 'unknown', of: definition });
    return !(error instanceof ProblemError && error.problem.retryable);
  }
}

function faultsOf(error: unknown): Fault[] | undefined {
  return error instanceof ProblemError && error.status === 422
    ? (error.problem.errors ?? undefined)
    : undefined;
}
