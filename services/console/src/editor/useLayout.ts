import { useReactFlow } from '@xyflow/react';
import { useCallback, useState } from 'react';
import { notifyProblem } from '~/ui/notify';
import { move } from './document/edit';
import { useEditorStore } from './store';
import { sizeOf } from './document/places';

/** Lays the workflow out anew; one step of undo brings the old places back. */
export function useLayout(): { layOut(): void; busy: boolean } {
  const store = useEditorStore();
  const flow = useReactFlow();
  const [busy, setBusy] = useState(false);
  const layOut = useCallback(() => {
    const { nodes, edges } = store.getState();
    const sized = [...nodes.values()].map(node => {
      const measured = flow.getInternalNode(node.id)?.measured;
      const guess = sizeOf(node);
      return { id: node.id, width: measured?.width ?? guess.width, height: measured?.height ?? guess.height };
    });
    setBusy(true);
    import('~/graph/elk')
      .then(({ elkLayout }) => elkLayout(sized, edges))
      .then(positions => {
        store.getState().change(before => move(before, positions));
        requestAnimationFrame(() => void flow.fitView({ duration: 300, padding: 0.12, maxZoom: 1 }));
      })
      .catch((error: unknown) => notifyProblem('The layout failed', error))
      .finally(() => setBusy(false));
  }, [store, flow]);
  return { layOut, busy };
}
