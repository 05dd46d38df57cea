import type { Block, NodeDefinition } from '~/api/types';
import { elementOf } from '~/graph/kinds';
import { blockName } from '~/graph/selectors';

/** What a node may say of its failures, and of where its jobs go. */
export type Policy = 'on_error' | 'timeout_ms' | 'retry' | 'priority' | 'pool' | 'cache';

const ALL: readonly Policy[] = ['on_error', 'timeout_ms', 'retry', 'priority', 'pool', 'cache'];

/** The policies that something comes of at this node, and those that it has: what is in vain can be taken out. */
export function policiesOf(block: Block, node: NodeDefinition): Policy[] {
  const used = usedBy(block, node);
  return ALL.filter(policy => used.includes(policy) || node[policy] !== undefined);
}

/** As the compiler has it: of the others it warns, or refuses them. */
function usedBy(block: Block, node: NodeDefinition): readonly Policy[] {
  const name = blockName(block.type);
  switch (block.runs.by) {
    case 'worker':
      // A webhook's attempts are a setting of its own: these begin the whole anew, for kinds of errors that are named.
      return ALL.filter(
        policy => (policy !== 'cache' || block.pure) && (policy !== 'retry' || name !== 'webhook'),
      );
    case 'input':
      // A picture by its address is fetched by a job, in a pool of its own.
      return isFetched(name, node) ? ['on_error', 'timeout_ms', 'retry', 'priority'] : [];
    case 'output':
      return name === 'api_response' ? ['on_error'] : [];
    case 'orchestrator':
      return usedByOrchestrator(name);
    default:
      return [];
  }
}

function usedByOrchestrator(name: string): readonly Policy[] {
  switch (name) {
    // It stands for what is inside it, which takes these over.
    case 'sub_workflow':
      return ['on_error', 'priority', 'pool', 'cache'];
    case 'delay':
      return ['on_error', 'timeout_ms'];
    default:
      return ['on_error'];
  }
}

/** Whether pictures may be given by their address. */
function isFetched(name: string, node: NodeDefinition): boolean {
  const kind = node.config?.kind;
  return name === 'image_input' || (typeof kind === 'string' && isMadeOfImages(kind));
}

function isMadeOfImages(kind: string): boolean {
  const inner = elementOf(kind);
  return inner === null ? kind === 'image' : isMadeOfImages(inner);
}
