import type { MiniMapNodeProps } from '@xyflow/react';
import { statusOf } from '../live/state';
import { useLive } from '../live/context';

/** A node on the small map, in the colour of its state. */
export function MiniNode({ id, x, y, width, height }: MiniMapNodeProps) {
  const node = useLive(live => live.run.nodes.get(id));
  return (
    <rect
      x={x}
      y={y}
      width={width}
      height={height}
      rx={16}
      fill={`var(--state-${node ? statusOf(node) : 'pending'})`}
    />
  );
}
