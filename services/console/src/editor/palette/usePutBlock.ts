import { useReactFlow } from '@xyflow/react';
import { useCallback } from 'react';
import type { Block } from '~/api/types';
import { besideSettings, intoView, isSeen } from '../canvas/intoView';
import { drawnPlaces, freePlace, sizeOf, type Box } from '../document/places';
import { useEditorStore } from '../store';
import { useAddBlock } from './useAddBlock';

/** Puts a block where nothing lies, beside what is selected, and brings it into view. */
export function usePutBlock(): (block: Block) => void {
  const store = useEditorStore();
  const flow = useReactFlow();
  const addBlock = useAddBlock();
  return useCallback(
    block => {
      const pane = document.querySelector('.react-flow')?.getBoundingClientRect();
      if (!pane) return;
      const { nodes, history, selection } = store.getState();
      const boxes = new Map<string, Box>();
      for (const [id, [x, y]] of drawnPlaces(history.present)) {
        const guess = sizeOf(nodes.get(id) ?? {});
        const measured = flow.getInternalNode(id)?.measured;
        const [width, height] = [measured?.width ?? guess.width, measured?.height ?? guess.height];
        boxes.set(id, { x, y, width, height });
      }
      const free = besideSettings(pane);
      const middle = flow.screenToFlowPosition({
        x: pane.left + free.width / 2,
        y: pane.top + free.height / 2,
      });
      const size = sizeOf({ inputs: block.inputs });
      const selected = selection.size === 1 ? boxes.get([...selection][0] ?? '') : undefined;
      const view = flow.getViewport();
      // Who looks elsewhere wants it there.
      const beside = selected && isSeen(view, selected, free) ? selected : undefined;
      const [x, y] = freePlace(size, [middle.x, middle.y], beside, [...boxes.values()]);
      addBlock(block.type, [x, y]);
      void flow.setViewport(intoView(view, { x, y, ...size }, free), { duration: 200 });
    },
    [store, flow, addBlock],
  );
}
