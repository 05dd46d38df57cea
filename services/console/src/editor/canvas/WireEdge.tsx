import { BaseEdge, getBezierPath, type EdgeProps, type ReactFlowState } from '@xyflow/react';
import { createContext, memo, useContext } from 'react';
import { laneOf, lanePath, type Box } from '~/graph/lanes';
import type { Position } from '~/graph/places';
import { sameJson } from '~/lib/json';
import type { Wire } from './useWires';

/** What wires go around. */
export const Obstacles = createContext<readonly Box[]>([]);

/** Above this, wires go straight: nobody follows them by eye, and every one asks about every node. */
const MOST_OBSTACLES = 150;
const NONE: readonly Box[] = [];

/** The nodes as they are drawn; one that is being dragged is in nobody's way until it is let go. */
export function obstaclesIn({ nodes, nodeLookup }: ReactFlowState): readonly Box[] {
  if (nodes.length > MOST_OBSTACLES) return NONE;
  return [...nodeLookup.values()].flatMap(
    ({ id, position: { x, y }, measured: { width, height }, dragging }) =>
      width === undefined || height === undefined || dragging ? [] : [{ id, x, y, width, height }],
  );
}

export const sameObstacles = (a: readonly Box[], b: readonly Box[]): boolean => sameJson(a, b);

/** A wire of the editor, around what lies between its ends. */
export const WireEdge = memo(function WireEdge(props: EdgeProps<Wire>) {
  const { id, source, target, data, style, interactionWidth } = props;
  const boxes = useContext(Obstacles);
  const [from, to]: [Position, Position] = [
    [props.sourceX, props.sourceY],
    [props.targetX, props.targetY],
  ];
  const others = boxes.filter(box => box.id !== source && box.id !== target);
  const lane = laneOf(from, to, others, data?.order);
  const path = lane ? lanePath(from, to, lane) : getBezierPath(props)[0];
  return <BaseEdge id={id} path={path} style={style} interactionWidth={interactionWidth} />;
});
