import { useStoreApi } from '@xyflow/react';
import { useEffect } from 'react';

/**
 * Has the ends of wires in a box looked for again whenever its rows are others. React Flow does so only where the box has another
 * size, and a row may come, go, move or be renamed without that.
 */
export function useMeasured(id: string, ...rows: readonly string[][]): void {
  const { getState } = useStoreApi();
  const key = JSON.stringify(rows);
  useEffect(() => {
    const { nodeLookup, domNode, updateNodeInternals } = getState();
    // A box that was never measured is about to be.
    if (!nodeLookup.get(id)?.internals.handleBounds) return;
    const box = `.react-flow__node[data-id="${CSS.escape(id)}"]`;
    const nodeElement = domNode?.querySelector<HTMLDivElement>(box);
    if (nodeElement) updateNodeInternals(new Map([[id, { id, nodeElement, force: true }]]));
  }, [getState, id, key]);
}
