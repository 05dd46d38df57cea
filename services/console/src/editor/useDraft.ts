import { useEffect, useMemo, useRef } from 'react';
import { followDraft, type DraftKeeper } from './followDraft';
import { useEditorStore } from './store';

/** Keeps what is not saved while the editor is open, and when it is left. */
export function useDraft(place: string): Pick<DraftKeeper, 'moveTo' | 'drop'> {
  const store = useEditorStore();
  const keeper = useRef<DraftKeeper | null>(null);
  useEffect(() => {
    const following = followDraft(store, place);
    keeper.current = following;
    return () => following.stop();
  }, [store, place]);
  return useMemo(
    () => ({ moveTo: next => keeper.current?.moveTo(next), drop: () => keeper.current?.drop() }),
    [],
  );
}
