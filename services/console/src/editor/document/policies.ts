import type { Block } from '~/api/types';
import { blockName } from '~/graph/selectors';

/** What a node may say of its failures, and of where its jobs go. */
export type Policy = 'on_error' | 'timeout_ms' | 'retry' | 'priority' | 'pool' | 'cache';

const OF_JOBS: readonly Policy[] = ['on_error', 'timeout_ms', 'retry', 'priority', 'pool', 'cache'];

/** The policies that the compiler takes of a node of this block. */
export function policiesOf(block: Block): readonly Policy[] {
  const name = blockName(block.type);
  switch (block.runs.by) {
    case 'worker':
      // A webhook's attempts are a setting of its own.
      return OF_JOBS.filter(
        policy => (policy !== 'cache' || block.pure) && (policy !== 'retry' || name !== 'webhook'),
      );
    case 'orchestrator':
      break;
    default:
      return [];
  }
  switch (name) {
    // These stand for what is inside them, which has its own.
    case 'for_each':
      return ['on_error'];
    case 'sub_workflow':
      return ['on_error', 'priority', 'pool', 'cache'];
    case 'delay':
      return ['on_error', 'timeout_ms'];
    default:
      return ['on_error'];
  }
}
