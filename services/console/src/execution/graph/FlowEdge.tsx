import { BaseEdge, getBezierPath, type EdgeProps } from '@xyflow/react';
import { memo } from 'react';
import { statusOf } from '../live/state';
import { useLive } from '../live/context';
import classes from './FlowEdge.module.css';

/** A line that shows what has passed along it. */
export const FlowEdge = memo(function FlowEdge(props: EdgeProps) {
  const state = useLive(live => {
    const [source, target] = [live.run.nodes.get(props.source), live.run.nodes.get(props.target)];
    if (!source || source.counts.completed === 0) return 'idle';
    if (!target) return 'passed';
    const status = statusOf(target);
    return status === 'running' || status === 'queued' ? 'flowing' : status === 'skipped' ? 'idle' : 'passed';
  });
  const [path] = getBezierPath(props);
  return <BaseEdge path={path} className={classes.edge} data-state={state} />;
});
