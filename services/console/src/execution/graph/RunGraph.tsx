import '@xyflow/react/dist/style.css';
import '~/graph/flow.css';
import { Background, Controls, MiniMap, ReactFlow, type Edge, type Node } from '@xyflow/react';
import { useComputedColorScheme } from '@mantine/core';
import { useMediaQuery } from '@mantine/hooks';
import { useMemo, useState } from 'react';
import type { Definition } from '~/api/types';
import { layered, layeredDown } from '~/graph/layers';
import { loopsOf } from '~/graph/loops';
import { laneOf, type Box, type Lane } from '~/graph/lanes';
import { placesOf, type Position } from '~/graph/places';
import { blockOf, type Catalogue } from '~/graph/ports';
import { edgesOf } from '~/graph/selectors';
import { FlowEdge } from './FlowEdge';
import { RunNode, RUN_NODE_WIDTH, type RunNodeData } from './RunNode';
import { MiniNode } from './MiniNode';

interface Props {
  definition: Definition;
  catalogue: Catalogue;
  selected: string | null;
  onSelect(node: string | null): void;
}

const NODE_TYPES = { run: RunNode };
const EDGE_TYPES = { flow: FlowEdge };
/** Above this, what is out of sight is not drawn. */
const MANY_NODES = 120;
/** Below this zoom no word on a node can be read. */
const FAR = 0.2;
/** A phone, held as phones are. */
const TALL = '(max-width: 48em) and (orientation: portrait)';
const HEIGHT = 92;
const HEIGHT_WITH_PICTURE = 186;

/** The workflow as it runs. The nodes are placed once; each draws its own state. */
export function RunGraph({ definition, catalogue, selected, onSelect }: Props) {
  const scheme = useComputedColorScheme('light');
  const tall = useMediaQuery(TALL, window.matchMedia(TALL).matches);
  const placed = useMemo(() => place(definition, catalogue, tall), [definition, catalogue, tall]);
  const [far, setFar] = useState(false);
  const nodes = useMemo(
    () => placed.nodes.map(node => ({ ...node, selected: node.id === selected })),
    [placed, selected],
  );
  return (
    <ReactFlow
      key={tall ? 'tall' : 'wide'}
      data-far={far || undefined}
      onMove={(_, { zoom }) => setFar(zoom < FAR)}
      nodes={nodes}
      edges={placed.edges}
      nodeTypes={NODE_TYPES}
      edgeTypes={EDGE_TYPES}
      colorMode={scheme}
      nodesDraggable={false}
      nodesConnectable={false}
      edgesFocusable={false}
      deleteKeyCode={null}
      onlyRenderVisibleElements={nodes.length > MANY_NODES}
      minZoom={0.05}
      maxZoom={1.6}
      fitView
      fitViewOptions={{ padding: 0.08, maxZoom: 1 }}
      onNodeClick={(_, node) => onSelect(node.id)}
      onPaneClick={() => onSelect(null)}
      onNodesChange={changes => {
        const chosen = changes.find(change => change.type === 'select' && change.selected);
        if (chosen && 'id' in chosen) onSelect(chosen.id);
      }}
      proOptions={{ hideAttribution: true }}
    >
      <Background color="var(--canvas-dot)" gap={20} size={1.6} />
      <Controls showInteractive={false} position="bottom-left" />
      {nodes.length > 8 && (
        <MiniMap pannable zoomable nodeComponent={MiniNode} ariaLabel="Map of the graph" />
      )}
    </ReactFlow>
  );
}

/** The lanes that lines take past other nodes; both ends of a line are in the middle of their sides. */
function lanesBetween(nodes: readonly Node[]) {
  if (nodes.length > MANY_NODES) return null;
  const boxes = nodes.map(({ id, position, initialWidth: width = 0, initialHeight: height = 0 }): Box => {
    return { id, ...position, width, height };
  });
  const byId = new Map(boxes.map(box => [box.id, box]));
  return (source: string, target: string, order: number): Lane | null => {
    const [one, other] = [byId.get(source), byId.get(target)];
    if (!one || !other) return null;
    const from: Position = [one.x + one.width, one.y + one.height / 2];
    const to: Position = [other.x, other.y + other.height / 2];
    return laneOf(
      from,
      to,
      boxes.filter(box => box !== one && box !== other),
      order,
    );
  };
}

function place(
  definition: Definition,
  catalogue: Catalogue,
  tall: boolean,
): { nodes: Node<RunNodeData>[]; edges: Edge[] } {
  const wires = edgesOf(definition);
  const loops = loopsOf(definition);
  const sized = definition.nodes.map(node => {
    const block = blockOf(catalogue, node);
    const shows = block?.outputs.some(port => /image/.test(port.kind)) ?? false;
    return { id: node.id, width: RUN_NODE_WIDTH, height: shows ? HEIGHT_WITH_PICTURE : HEIGHT };
  });
  const saved = placesOf(definition);
  const isSaved = !tall && definition.nodes.every(node => saved.has(node.id));
  const positions = isSaved ? saved : (tall ? layeredDown : layered)(sized, wires);
  const nodes = definition.nodes.map((node, index): Node<RunNodeData> => {
    const [x, y] = positions.get(node.id) ?? [0, 0];
    const size = sized[index];
    return {
      id: node.id,
      type: 'run',
      position: { x, y },
      initialWidth: size?.width,
      initialHeight: size?.height,
      ariaLabel: `Node ${node.id}`,
      data: { node, block: blockOf(catalogue, node), loop: loops.get(node.id), tall },
    };
  });
  // One line per pair: a run shows what waits for what, not which port.
  const pairs = new Map(wires.map(wire => [`${wire.source}>${wire.target}`, wire]));
  const lanes = tall ? null : lanesBetween(nodes);
  const edges = [...pairs].map(([id, { source, target }], order) => ({
    id,
    source,
    target,
    type: 'flow',
    data: { lane: lanes?.(source, target, order) ?? null },
  }));
  return { nodes, edges };
}
