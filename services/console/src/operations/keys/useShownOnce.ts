import { useEffect } from 'react';
import { useBlocker } from 'react-router';

/** Keeps what is shown this once in sight until it was taken: only who says so leaves it, and a wish to log in again waits. */
export function useShownOnce(shown: boolean): void {
  const blocker = useBlocker(shown);
  useEffect(() => {
    if (blocker.state !== 'blocked') return;
    const isAsked = blocker.location.pathname !== '/login';
    if (isAsked && window.confirm('The key is shown this once. Leave it?')) blocker.proceed();
    else blocker.reset();
  }, [blocker]);
  useEffect(() => {
    if (!shown) return;
    const onUnload = (event: BeforeUnloadEvent): void => event.preventDefault();
    window.addEventListener('beforeunload', onUnload);
    return () => window.removeEventListener('beforeunload', onUnload);
  }, [shown]);
}
