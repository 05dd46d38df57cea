import { useThrottledValue } from '@mantine/hooks';
import { Handle, Position, type Node, type NodeProps } from '@xyflow/react';
import { memo } from 'react';
import type { Block, NodeDefinition } from '~/api/types';
import { CategoryIcon } from '~/graph/CategoryIcon';
import { blockName } from '~/graph/selectors';
import { formatCount, formatDuration, words } from '~/lib/format';
import { firstImage, summarise } from '~/lib/values';
import { StatusIcon } from '~/ui/Status';
import { Thumbnail } from '~/ui/Thumbnail';
import { Ticking } from '~/ui/Ticking';
import { useLive } from '../live/context';
import { itemsOf, shownStatus } from '../live/expected';
import { isTerminal, type NodeState } from '../live/state';
import { tookMs } from '../took';
import { ItemStrip } from './ItemStrip';
import classes from './RunNode.module.css';

export const RUN_NODE_WIDTH = 236;
/** A loop gives more pictures than anybody sees, and for each a worker makes a small copy. */
const PICTURE_EVERY_MS = 1_000;

export interface RunNodeData extends Record<string, unknown> {
  node: NodeDefinition;
  block: Block | undefined;
  /** The loop it is in. */
  loop: string | undefined;
  /** Whether the graph goes from top to bottom. */
  tall: boolean;
}

/** A node of a run: its state, its time, a glimpse of what it gave. Draws again only when its own state changes. */
export const RunNode = memo(function RunNode({ data, selected }: NodeProps<Node<RunNodeData>>) {
  const { node, block, tall } = data;
  const state = useLive(live => live.run.nodes.get(node.id));
  const items = useLive(live => (data.loop ? itemsOf(live.run.nodes.get(data.loop)) : 0));
  const expected = Math.max(items, state?.total ?? 0);
  const over = useLive(live => isTerminal(live.run.status));
  const status = state ? shownStatus(state, expected, over) : 'pending';
  const model = node.config?.model_id;
  return (
    <div
      className={classes.node}
      data-status={status}
      data-selected={selected || undefined}
      data-node={node.id}
    >
      <Handle
        type="target"
        position={tall ? Position.Top : Position.Left}
        className={classes.handle}
        isConnectable={false}
      />
      <div className={classes.header}>
        <CategoryIcon category={block?.category ?? 'transform'} type={block?.type} />
        <span className={classes.name}>{node.id}</span>
        <span className={classes.time}>{state && <Time state={state} expected={expected} />}</span>
        <StatusIcon status={status} />
        <span className="visually-hidden">{words(status)}</span>
      </div>
      <div className={classes.sub}>
        {block?.title ?? blockName(node.type)}
        {typeof model === 'string' && !model.startsWith('$') && ` · ${model}`}
      </div>
      {state && <Body state={state} expected={expected} />}
      <Handle
        type="source"
        position={tall ? Position.Bottom : Position.Right}
        className={classes.handle}
        isConnectable={false}
      />
    </div>
  );
});

interface PartProps {
  state: NodeState;
  /** How often it will have run in the end, as far as that is known. */
  expected: number;
}

function Time({ state, expected }: PartProps) {
  const { latest } = state;
  if (expected > 1) return `${formatCount(state.counts.completed)}/${formatCount(expected)}`;
  if (latest.metrics?.cached) return 'cached';
  if (isTerminal(latest.status)) {
    const took = tookMs(latest);
    return took === null ? null : formatDuration(took);
  }
  const since = latest.started_at ?? latest.queued_at;
  return since ? <Ticking from={since} to={null} /> : null;
}

function Body({ state, expected }: PartProps) {
  const { latest } = state;
  const image = useThrottledValue(firstImage(latest.outputs), PICTURE_EVERY_MS);
  const summary = expected > 1 ? null : summarise(latest.outputs);
  const failing = latest.error && latest.status !== 'completed';
  return (
    <>
      {image && <Thumbnail image={image} height={92} />}
      {state.fraction !== null && (
        <div className={classes.progress} role="progressbar" aria-valuenow={Math.round(state.fraction * 100)}>
          <span style={{ width: `${state.fraction * 100}%` }} />
        </div>
      )}
      {expected > 1 && <ItemStrip state={state} expected={expected} />}
      {failing && (
        <div className={classes.error} title={latest.error?.message}>
          {latest.status === 'pending' ? `attempt ${latest.attempt} failed, trying again: ` : ''}
          {latest.error?.message}
        </div>
      )}
      {!failing && summary && <div className={classes.summary}>{summary}</div>}
    </>
  );
}
