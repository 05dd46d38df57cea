import { useEffect } from 'react';
import { useBlocker } from 'react-router';
import { isDirty, useEditorStore } from './store';

/** Nobody loses work by a slip: leaving with unsaved changes asks first. Going on to a run of this workflow does not. */
export function useUnsavedGuard(): void {
  const store = useEditorStore();
  const blocker = useBlocker(({ currentLocation, nextLocation }) => {
    const address = ({ pathname, search }: typeof nextLocation) => pathname + search;
    const leaves = address(currentLocation) !== address(nextLocation);
    const state: unknown = nextLocation.state;
    const deliberate = typeof state === 'object' && state !== null && 'keep' in state;
    const worthKeeping = store.getState().history.past.length > 0;
    return leaves && !deliberate && worthKeeping && isDirty(store.getState());
  });
  useEffect(() => {
    if (blocker.state !== 'blocked') return;
    if (window.confirm('There are changes that were not saved. Leave them?')) blocker.proceed();
    else blocker.reset();
  }, [blocker]);
  useEffect(() => {
    const onLeave = (event: BeforeUnloadEvent): void => {
      if (store.getState().history.past.length > 0 && isDirty(store.getState())) event.preventDefault();
    };
    window.addEventListener('beforeunload', onLeave);
    return () => window.removeEventListener('beforeunload', onLeave);
  }, [store]);
}
