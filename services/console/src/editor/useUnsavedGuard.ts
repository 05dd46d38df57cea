import { useEffect } from 'react';
import { useBlocker } from 'react-router';
import { hasWork, useEditorStore } from './store';

/** Nobody loses work by a slip: leaving with unsaved changes asks first. Going on to a run of this workflow does not. */
export function useUnsavedGuard(onLeave: () => void): void {
  const store = useEditorStore();
  const blocker = useBlocker(({ currentLocation, nextLocation }) => {
    const address = ({ pathname, search }: typeof nextLocation) => pathname + search;
    const leaves = address(currentLocation) !== address(nextLocation);
    const state: unknown = nextLocation.state;
    const deliberate = typeof state === 'object' && state !== null && 'keep' in state;
    return leaves && !deliberate && hasWork(store.getState());
  });
  useEffect(() => {
    if (blocker.state !== 'blocked') return;
    if (window.confirm('There are changes that were not saved. Leave them?')) {
      onLeave();
      blocker.proceed();
    } else blocker.reset();
  }, [blocker, onLeave]);
  useEffect(() => {
    const onUnload = (event: BeforeUnloadEvent): void => {
      if (hasWork(store.getState())) event.preventDefault();
    };
    window.addEventListener('beforeunload', onUnload);
    return () => window.removeEventListener('beforeunload', onUnload);
  }, [store]);
}
