import { Handle, Position, type NodeProps } from '@xyflow/react';
import { IconAlertTriangle } from '@tabler/icons-react';
import { memo, type CSSProperties } from 'react';
import { Tooltip } from '@mantine/core';
import { CategoryIcon } from '~/graph/CategoryIcon';
import { elementOf, fits, kindColour } from '~/graph/kinds';
import { blockOf } from '~/graph/ports';
import { blockName, holdsSelector, isSelector } from '~/graph/selectors';
import { entryOf, preview } from '~/lib/json';
import { useEditor } from '../store';
import { areMild, faultsAt, type NodeFault } from '../document/faults';
import classes from './EditorNode.module.css';
import { FURTHER, sourceHandle, targetHandle } from './handles';
import type { CanvasNode } from './nodes';
import { useMeasured } from './useMeasured';

/** A block on the canvas: its ports, what it is set to in a word, and what is wrong with it. */
export const EditorNode = memo(function EditorNode({ id, selected }: NodeProps<CanvasNode>) {
  const node = useEditor(state => state.nodes.get(id));
  const ports = useEditor(state => state.ports.get(id));
  const faults = useEditor(state => state.faults.byNode.get(id));
  const block = useEditor(state => (node ? blockOf(state.catalogue, node) : undefined));
  const settings = Object.entries(node?.config ?? {}).filter(([, value]) => holdsSelector(value));
  const inputs = ports?.inputs ?? [];
  const outputs = ports?.outputs ?? [];
  useMeasured(
    id,
    inputs.map(nameOf),
    settings.map(([name]) => name),
    outputs.map(nameOf),
  );
  if (!node) return null;
  return (
    <div
      className={classes.node}
      data-selected={selected || undefined}
      data-faulty={marked(faults)}
      data-node={id}
    >
      <header className={classes.header}>
        <CategoryIcon category={block?.category ?? 'logic'} type={block?.type} />
        <span className={classes.titles}>
          <span className={classes.name}>{id}</span>
          <span className={classes.sub}>{subtitle(node.config, block?.title ?? blockName(node.type))}</span>
        </span>
        {faults && <FaultMark faults={faults} />}
      </header>
      <div className={classes.ports}>
        <div className={classes.column}>
          {inputs.map(port => (
            <InputRow
              key={port.name}
              handle={targetHandle(port.place)}
              name={port.name}
              kinds={port.kinds}
              required={port.required}
              help={port.help}
              wired={entryOf(node.inputs ?? {}, port.name) !== undefined}
              faulty={marked(faultsAt(faults, port.place))}
              node={id}
            />
          ))}
          {settings.map(([name, value]) => (
            <InputRow
              key={`config/${name}`}
              handle={targetHandle(['config', name])}
              name={name}
              kinds={['any']}
              required={false}
              help="A setting that takes its value from another node."
              wired
              // A wire to a part of it does not give its place away to one for the whole.
              fixed={!isSelector(value)}
              faulty={marked(faultsAt(faults, ['config', name]))}
              node={id}
            />
          ))}
          {block?.further_inputs && (
            <InputRow
              handle={FURTHER}
              name="add input"
              kinds={[block.further_inputs]}
              required={false}
              help="Wire something here to make a further input of it."
              wired={false}
              faulty={undefined}
              faint
              node={id}
            />
          )}
        </div>
        <div className={classes.column}>
          {outputs.map(port => (
            <OutputRow key={port.name} name={port.name} kind={port.kind} help={port.help} node={id} />
          ))}
        </div>
      </div>
    </div>
  );
});

const nameOf = ({ name }: { name: string }) => name;

function subtitle(config: Record<string, unknown> | undefined, title: string): string {
  const word =
    config?.model_id ?? config?.if ?? config?.where ?? config?.expr ?? config?.kind ?? config?.mode;
  return typeof word === 'string' && word !== '' ? `${title} · ${preview(word, 30)}` : title;
}

type Mark = 'wrong' | 'mild';

/** How the place of these faults is drawn. */
function marked(faults: readonly NodeFault[] = []): Mark | undefined {
  if (faults.length === 0) return undefined;
  return areMild(faults) ? 'mild' : 'wrong';
}

function FaultMark({ faults }: { faults: readonly NodeFault[] }) {
  const words = faults.map(fault => fault.message).join('; ');
  const what = areMild(faults) ? 'warnings' : 'mistakes';
  return (
    <Tooltip label={words}>
      <span
        className={classes.fault}
        data-faulty={marked(faults)}
        role="img"
        aria-label={`${faults.length} ${what}: ${words}`}
      >
        <IconAlertTriangle size={15} />
      </span>
    </Tooltip>
  );
}

interface InputProps {
  node: string;
  handle: string;
  name: string;
  kinds: readonly string[];
  required: boolean;
  help: string;
  wired: boolean;
  faulty: Mark | undefined;
  faint?: boolean;
  /** Whether its wires stay as they are: no other is taken here. */
  fixed?: boolean;
}

function InputRow({ node, handle, name, kinds, required, help, wired, ...as }: InputProps) {
  const { faulty, faint = false, fixed = false } = as;
  const match = useEditor(({ wire }) => {
    if (!wire || wire.end !== 'source') return null;
    return !fixed && wire.node !== node && kinds.some(kind => wire.kinds.some(have => fits(have, kind)));
  });
  const kind = kinds[0] ?? 'any';
  return (
    <div
      className={classes.row}
      data-match={match ?? undefined}
      data-faulty={faulty}
      data-faint={faint || undefined}
      title={`${kinds.join(' or ')}. ${help}`}
    >
      <Handle
        id={handle}
        type="target"
        position={Position.Left}
        isConnectable={!fixed}
        className={classes.handle}
        data-list={elementOf(kind) !== null || undefined}
        data-wired={wired || undefined}
        style={{ '--kind': kindColour(kind) } as CSSProperties}
      />
      <span className={classes.label}>
        {name}
        {required && !wired && <b aria-label="required"> *</b>}
      </span>
    </div>
  );
}

function OutputRow({ node, name, kind, help }: { node: string; name: string; kind: string; help: string }) {
  const match = useEditor(({ wire }) => {
    if (!wire || wire.end !== 'target') return null;
    return wire.node !== node && wire.kinds.some(wanted => fits(kind, wanted));
  });
  return (
    <div
      className={`${classes.row} ${classes.out}`}
      data-match={match ?? undefined}
      title={`${kind}. ${help}`}
    >
      <span className={classes.label}>{name}</span>
      <Handle
        id={sourceHandle(name)}
        type="source"
        position={Position.Right}
        className={classes.handle}
        data-list={elementOf(kind) !== null || undefined}
        data-wired
        style={{ '--kind': kindColour(kind) } as CSSProperties}
      />
    </div>
  );
}
