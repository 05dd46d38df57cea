import type { Edge, EdgeChange } from '@xyflow/react';
import { useCallback, useMemo, useState } from 'react';
import { kindColour } from '~/graph/kinds';
import { outputAt } from '~/graph/selectors';
import { useEditor } from '../store';
import { sourceHandle, targetHandle } from './handles';
import classes from './wires.module.css';

export type Wire = Edge<{ place: string[]; order: number }>;

/** Where a wire ends in the document. */
export function endOf({ target, data }: Wire): { node: string; place: string[] } | null {
  return data ? { node: target, place: data.place } : null;
}

interface Wires {
  wires: Wire[];
  onEdgesChange(changes: EdgeChange<Wire>[]): void;
}

/** The wires, each in the colour of what it carries. They follow from the document; which are chosen is the canvas's own. */
export function useWires(): Wires {
  const edges = useEditor(state => state.edges);
  const ports = useEditor(state => state.ports);
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const onEdgesChange = useCallback(
    (changes: EdgeChange<Wire>[]) => setChosen(before => chosenAfter(before, changes)),
    [],
  );
  const wires = useMemo(
    () =>
      edges.map((edge, order): Wire => {
        const outputs = ports.get(edge.source)?.outputs ?? [];
        const output = outputAt(outputs, edge.sourcePort);
        const port = output?.name ?? edge.sourcePort ?? '*';
        const selected = chosen.has(edge.id);
        return {
          id: edge.id,
          type: 'wire',
          source: edge.source,
          sourceHandle: sourceHandle(port),
          target: edge.target,
          targetHandle: targetHandle(edge.place),
          selected,
          // The ends of a wire lie over those of its ports: only the chosen one gives its own away.
          reconnectable: selected,
          className: classes.wire,
          style: { stroke: kindColour(output?.kind ?? 'any') },
          data: { place: edge.place, order },
          ariaLabel: `Wire from ${edge.source} ${port} to ${edge.target} ${edge.place.slice(1).join(' ')}`,
        };
      }),
    [edges, ports, chosen],
  );
  return { wires, onEdgesChange };
}

function chosenAfter(before: ReadonlySet<string>, changes: readonly EdgeChange<Wire>[]): ReadonlySet<string> {
  const next = new Set(before);
  for (const change of changes) {
    if (change.type === 'select' && change.selected) next.add(change.id);
    else if (change.type === 'select' || change.type === 'remove') next.delete(change.id);
  }
  return next;
}
