import { useEffect } from 'react';
import { useBlocker } from 'react-router';
import { hasWork, useEditorStore } from './store';

/** Nobody loses work by a slip: leaving with unsaved changes asks first. Going on to a run of this workflow does not. */
export function useUnsavedGuard(onLeave: () => void): void {
  const store = useEditorStore();
  const blocker = useBlocker(({ currentLocation, nextLocation }) => {
    const address = ({ pathname, search }: typeof nextLocation) => pathname + search;
    if (address(currentLocation) === address(nextLocation)) return false;
    // What is typed and not taken over yet is work as well, and kept as such where leaving is deliberate.
    store.getState().settle();
    const state: unknown = nextLocation.state;
    const deliberate = typeof state === 'object' && state !== null && 'keep' in state;
    return !deliberate && hasWork(store.getState());
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
      store.getState().settle();
      if (hasWork(store.getState())) event.preventDefault();
    };
    window.addEventListener('beforeunload', onUnload);
    return () => window.removeEventListener('beforeunload', onUnload);
  }, [store]);
}
