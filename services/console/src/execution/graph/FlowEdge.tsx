import { BaseEdge, getBezierPath, type Edge, type EdgeProps } from '@xyflow/react';
import { memo } from 'react';
import { lanePath, type Lane } from '~/graph/lanes';
import type { Position } from '~/graph/places';
import { statusOf } from '../live/state';
import { useLive } from '../live/context';
import classes from './FlowEdge.module.css';

/** A line of the graph; the lane is its way past the nodes between its ends. */
export type Flow = Edge<{ lane: Lane | null }>;

/** A line that shows what has passed along it. */
export const FlowEdge = memo(function FlowEdge(props: EdgeProps<Flow>) {
  const state = useLive(live => {
    const [source, target] = [live.run.nodes.get(props.source), live.run.nodes.get(props.target)];
    if (!source || source.counts.completed === 0) return 'idle';
    if (!target) return 'passed';
    const status = statusOf(target);
    return status === 'running' || status === 'queued' ? 'flowing' : status === 'skipped' ? 'idle' : 'passed';
  });
  const [from, to]: [Position, Position] = [
    [props.sourceX, props.sourceY],
    [props.targetX, props.targetY],
  ];
  const lane = props.data?.lane;
  const path = lane ? lanePath(from, to, lane) : getBezierPath(props)[0];
  return <BaseEdge path={path} className={classes.edge} data-state={state} />;
});
