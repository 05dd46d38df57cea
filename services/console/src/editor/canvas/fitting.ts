/** Which blocks a loose end of a wire may go to, and to which of their ends. */
import type { Block } from '~/api/types';
import { fits } from '~/graph/kinds';
import type { OpenWire } from '../store';
import { FURTHER } from './handles';

interface Match {
  /** Where the wire ends: a target handle, or the name of an output port. */
  handle: string;
  /** Whether the end is of just that kind, and not of one that takes or gives many. */
  exact: boolean;
}

/** Blocks with an end that fits; those made for the kind before those that take anything. */
export function fittingBlocks(blocks: readonly Block[], wire: OpenWire): Block[] {
  const matched = blocks.flatMap(block => {
    const match = matchOf(block, wire);
    return match ? [{ block, match }] : [];
  });
  return matched.sort((a, b) => Number(b.match.exact) - Number(a.match.exact)).map(({ block }) => block);
}

/** The end of the block that the wire goes to; null where nothing fits. */
export function matchOf(block: Block, wire: OpenWire): Match | null {
  const isExact = (kinds: readonly string[]) =>
    kinds.some(kind => kind !== 'any' && wire.kinds.includes(kind));
  if (wire.end === 'target') {
    const gives = block.outputs.filter(output => wire.kinds.some(wanted => fits(output.kind, wanted)));
    const port = gives.find(output => isExact([output.kind])) ?? gives[0];
    return port ? { handle: port.name, exact: isExact([port.kind]) } : null;
  }
  const takes = (kinds: readonly string[]) => wire.kinds.some(have => kinds.some(kind => fits(have, kind)));
  const open = block.inputs.filter(input => takes(input.kinds));
  const port = open.find(input => input.required) ?? open[0];
  if (port) return { handle: `in:inputs/${port.name}`, exact: isExact(port.kinds) };
  return block.further_inputs && takes([block.further_inputs]) ? { handle: FURTHER, exact: false } : null;
}
