import { useQueries } from '@tanstack/react-query';
import { useEffect, useMemo } from 'react';
import { calledQuery } from '~/api/queries';
import { savedCalls } from '~/graph/calls';
import { useEditor, useEditorStore } from './store';

/** Asks for the saved workflows that are called and that the definition does not bring along: a save puts these in. */
export function useCalled(): void {
  const store = useEditorStore();
  const definition = useEditor(state => state.history.present);
  const calls = useMemo(() => savedCalls(definition), [definition]);
  const called = useQueries({
    queries: calls.map(({ workflow, version }) => calledQuery(workflow, version)),
    combine: answers =>
      Object.fromEntries(
        calls.flatMap(({ key }, at) => {
          const found = answers[at]?.data;
          return found ? [[key, found.definition]] : [];
        }),
      ),
  });
  useEffect(() => store.getState().setCalled(called), [store, called]);
}
