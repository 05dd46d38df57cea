import { useEffect, useRef } from 'react';
import { useBlocker } from 'react-router';
import { keepWork, LEAVE_QUESTION } from '~/workflows/unsaved';
import { hasWork, useEditorStore } from './store';

/** Nobody loses work by a slip: leaving with unsaved changes asks first. Going on to a run of this workflow does not. */
export function useUnsavedGuard(onLeave: () => void): void {
  const store = useEditorStore();
  // Whoever logs out has been asked.
  const givenUp = useRef(false);
  const blocker = useBlocker(({ currentLocation, nextLocation }) => {
    const address = ({ pathname, search }: typeof nextLocation) => pathname + search;
    if (address(currentLocation) === address(nextLocation)) return false;
    // What is typed and not taken over yet is work as well, and kept as such where leaving is deliberate.
    store.getState().settle();
    const state: unknown = nextLocation.state;
    const deliberate = typeof state === 'object' && state !== null && 'keep' in state;
    return !deliberate && !givenUp.current && hasWork(store.getState());
  });
  useEffect(() => {
    if (blocker.state !== 'blocked') return;
    if (window.confirm(LEAVE_QUESTION)) {
      onLeave();
      blocker.proceed();
    } else blocker.reset();
  }, [blocker, onLeave]);
  useEffect(() => {
    const onUnload = (event: BeforeUnloadEvent): void => {
      if (givenUp.current) return;
      store.getState().settle();
      if (hasWork(store.getState())) event.preventDefault();
    };
    window.addEventListener('beforeunload', onUnload);
    return () => window.removeEventListener('beforeunload', onUnload);
  }, [store]);
  useEffect(
    () =>
      keepWork({
        hasWork() {
          store.getState().settle();
          return hasWork(store.getState());
        },
        giveUp() {
          givenUp.current = true;
          onLeave();
        },
      }),
    [store, onLeave],
  );
}
