import type { Block } from '~/api/types';
import { blockName } from '~/graph/selectors';

/** What a node may say of its failures, and of where its jobs go. */
export type Policy = 'on_error' | 'timeout_ms' | 'retry' | 'priority' | 'pool' | 'cache';

/** The policies that the compiler takes of a node of this block. */
export function policiesOf(block: Block): readonly Policy[] {
  switch (block.runs.by) {
    case 'worker':
      return ['on_error', 'timeout_ms', 'retry', 'priority', 'pool', 'cache'];
    case 'orchestrator':
      break;
    default:
      return [];
  }
  switch (blockName(block.type)) {
    // These stand for what is inside them, which has its own.
    case 'for_each':
      return ['on_error'];
    case 'sub_workflow':
      return ['on_error', 'priority', 'pool', 'cache'];
    default:
      return ['on_error', 'timeout_ms'];
  }
}
