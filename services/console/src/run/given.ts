/**
 * What a workflow was given to run with, for the next try of it. Of the one that was tried last, and in memory: files cannot be
 * kept otherwise.
 */
import type { NodeDefinition } from '~/api/types';
import { sameJson } from '~/lib/json';
import type { InputValue } from './inputs';

interface Given {
  /** Where the workflow is edited. */
  place: string;
  /** What asked for it. */
  nodes: readonly NodeDefinition[];
  values: ReadonlyMap<string, InputValue>;
}

let last: Given | null = null;

export function keepGiven(given: Given): void {
  last = given;
}

/** What these nodes were given before; nothing where a node asks for something else by now. */
export function givenBefore(
  place: string,
  nodes: readonly NodeDefinition[],
): ReadonlyMap<string, InputValue> {
  const before = last?.place === place ? last : null;
  return new Map(
    nodes.flatMap(node => {
      const asked = before?.nodes.find(({ id }) => id === node.id);
      const value = before?.values.get(node.id);
      return value && asked?.type === node.type && sameJson(asked.config, node.config)
        ? [[node.id, value] as const]
        : [];
    }),
  );
}

/** The workflow is edited somewhere else from now on: a new one was saved. */
export function moveGiven(from: string, to: string): void {
  if (last?.place === from) last = { ...last, place: to };
}
