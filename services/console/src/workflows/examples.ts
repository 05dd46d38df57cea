/** The repository's own examples, built into the console. */
import type { Definition } from '~/api/types';

export interface ExampleWorkflow {
  file: string;
  definition: Definition;
}

const files = import.meta.glob<Definition>('../../../../examples/*.json', { eager: true, import: 'default' });

export const EXAMPLES: ExampleWorkflow[] = Object.entries(files)
  .filter(([, definition]) => Array.isArray(definition.nodes))
  .map(([path, definition]) => ({ file: path.split('/').pop() ?? path, definition }))
  .sort((a, b) => a.definition.nodes.length - b.definition.nodes.length);
