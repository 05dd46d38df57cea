import { useContext, useEffect, useEffectEvent } from 'react';
import { LiveContext } from './live/context';
import { lookWhileQuiet, type Looker } from './live/quiet';

/** Looks while nothing happens to the run of the page that is not over. */
export function useLookWhileQuiet({ over, look, isInDoubt }: Looker & { over: boolean }): void {
  const store = useContext(LiveContext);
  const onQuiet = useEffectEvent(look);
  const askDoubt = useEffectEvent(isInDoubt);
  useEffect(
    () =>
      store && !over
        ? lookWhileQuiet(store, { look: () => onQuiet(), isInDoubt: () => askDoubt() })
        : undefined,
    [store, over],
  );
}
