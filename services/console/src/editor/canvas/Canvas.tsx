import '@xyflow/react/dist/style.css';
import '~/graph/flow.css';
import { useComputedColorScheme } from '@mantine/core';
import {
  applyNodeChanges,
  Background,
  Controls,
  MiniMap,
  Panel,
  ReactFlow,
  SelectionMode,
  useReactFlow,
  useStore,
  type NodeChange,
} from '@xyflow/react';
import { useCallback, useEffect, useMemo, useState, type DragEvent } from 'react';
import type { Position } from '~/graph/places';
import { isCovered } from '~/lib/covered';
import { move, removeNodes, removeWires } from '../document/edit';
import { BLOCK_DRAG, useAddBlock } from '../palette/useAddBlock';
import { useEditor, useEditorStore } from '../store';
import { CanvasHint } from './CanvasHint';
import { EditorNode } from './EditorNode';
import { useFirstView } from './useFirstView';
import { mergeNodes, placedNodes, type CanvasNode } from './nodes';
import { QuickAdd } from './QuickAdd';
import { useConnecting } from './useConnecting';
import { endOf, useWires } from './useWires';
import { Obstacles, obstaclesIn, sameObstacles, WireEdge } from './WireEdge';

const NODE_TYPES = { block: EditorNode };
const EDGE_TYPES = { wire: WireEdge };
const MANY_NODES = 150;

/** The workflow as boxes and wires. What is drawn follows from the document; only what is being dragged runs ahead of it. */
export function Canvas() {
  const store = useEditorStore();
  const scheme = useComputedColorScheme('light');
  const flow = useReactFlow();
  const definition = useEditor(state => state.history.present);
  const selection = useEditor(state => state.selection);
  const placed = useMemo(() => placedNodes(definition), [definition]);
  const [nodes, setNodes] = useState<CanvasNode[]>(placed);
  const addBlock = useAddBlock();
  const connecting = useConnecting();
  // React Flow owns what is being dragged and measured; the document is brought into that, not computed from it.
  // eslint-disable-next-line react-hooks/set-state-in-effect
  useEffect(() => setNodes(before => mergeNodes(before, placed, selection)), [placed, selection]);
  const { wires, onEdgesChange } = useWires();
  useFirstView();
  const obstacles = useStore(obstaclesIn, sameObstacles);

  const onNodesChange = useCallback(
    (changes: NodeChange<CanvasNode>[]) => {
      setNodes(before => applyNodeChanges(changes, before));
      const { select, change, selection: chosen } = store.getState();
      const selected = changes.filter(one => one.type === 'select');
      if (selected.length > 0) {
        const next = new Set(chosen);
        for (const one of selected) {
          if (one.selected) next.add(one.id);
          else next.delete(one.id);
        }
        select(next);
      }
      const moved = new Map<string, Position>();
      for (const one of changes) {
        if (one.type === 'position' && one.position && !one.dragging)
          moved.set(one.id, [one.position.x, one.position.y]);
      }
      if (moved.size > 0) change(before => move(before, moved), 'move');
    },
    [store],
  );
  const onDrop = (event: DragEvent): void => {
    const type = event.dataTransfer.getData(BLOCK_DRAG);
    if (!type) return;
    event.preventDefault();
    const { x, y } = flow.screenToFlowPosition({ x: event.clientX, y: event.clientY });
    addBlock(type, [x - 120, y - 20]);
  };
  return (
    <Obstacles value={obstacles}>
      <ReactFlow
        nodes={nodes}
        edges={wires}
        nodeTypes={NODE_TYPES}
        edgeTypes={EDGE_TYPES}
        colorMode={scheme}
        onNodesChange={onNodesChange}
        onEdgesChange={onEdgesChange}
        onDelete={gone => {
          const wired = gone.edges.flatMap(wire => endOf(wire) ?? []);
          const ids = new Set(gone.nodes.map(node => node.id));
          store.getState().change(before => removeNodes(removeWires(before, wired), ids));
        }}
        {...connecting.handlers}
        onDrop={onDrop}
        onDragOver={event => {
          if (event.dataTransfer.types.includes(BLOCK_DRAG)) event.preventDefault();
        }}
        deleteKeyCode={['Delete', 'Backspace']}
        onBeforeDelete={() => Promise.resolve(!isCovered())}
        multiSelectionKeyCode={['Shift', 'Meta', 'Control']}
        selectionKeyCode="Shift"
        selectionMode={SelectionMode.Partial}
        onlyRenderVisibleElements={nodes.length > MANY_NODES}
        elevateEdgesOnSelect
        snapToGrid
        snapGrid={[10, 10]}
        minZoom={0.05}
        maxZoom={2}
        proOptions={{ hideAttribution: true }}
      >
        <Background color="var(--canvas-dot)" gap={20} size={1.6} />
        <Controls showInteractive={false} position="bottom-left" />
        {nodes.length > 12 && (
          <MiniMap
            pannable
            zoomable
            ariaLabel="Map of the workflow"
            nodeColor="var(--line-strong)"
            nodeBorderRadius={14}
          />
        )}
        {definition.nodes.length === 0 && (
          <Panel position="top-center">
            <CanvasHint />
          </Panel>
        )}
        {connecting.open && <QuickAdd request={connecting.open} onClose={connecting.close} />}
      </ReactFlow>
    </Obstacles>
  );
}
