import { useCallback, useEffect, useRef } from 'react';
import { useNavigate, type NavigateOptions } from 'react-router';

/** Gives the signal that what uses it was left; what is under way for it alone ends with that. */
export function useLeaving(): () => AbortSignal {
  const controller = useRef<AbortController | null>(null);
  useEffect(() => {
    const own = new AbortController();
    controller.current = own;
    return () => own.abort();
  }, []);
  return useCallback(() => controller.current?.signal ?? AbortSignal.abort(), []);
}

/** Goes where an answer leads, from here only: whoever has gone elsewhere meanwhile stays there, and `onLeft` may tell of it. */
export function useGoFromHere(
  onLeft?: () => void,
): (to: string, options?: NavigateOptions) => void | Promise<void> {
  const navigate = useNavigate();
  const leaving = useLeaving();
  return useCallback(
    (to, options) => (leaving().aborted ? onLeft?.() : navigate(to, options)),
    [leaving, navigate, onLeft],
  );
}
