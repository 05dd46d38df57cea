/** What changed between two definitions, node by node. Places on the canvas are no change. */
import type { Definition, Json, NodeDefinition } from '~/api/types';
import { isObject, sameJson } from '~/lib/json';

export interface FieldChange {
  place: string;
  before: Json | undefined;
  after: Json | undefined;
}

export interface Change {
  kind: 'added' | 'removed' | 'changed';
  /** The node, or null for the workflow itself. */
  node: string | null;
  type?: string;
  fields: FieldChange[];
}

export function changesBetween(before: Definition, after: Definition): Change[] {
  const old = new Map(before.nodes.map(node => [node.id, node]));
  const now = new Map(after.nodes.map(node => [node.id, node]));
  const changes: Change[] = [];
  const whole = differences(withoutNodes(before), withoutNodes(after));
  if (whole.length > 0) changes.push({ kind: 'changed', node: null, fields: whole });
  for (const node of after.nodes) {
    const known = old.get(node.id);
    const fields = known ? differences(plain(known), plain(node)) : [];
    if (!known) changes.push({ kind: 'added', node: node.id, type: node.type, fields: [] });
    else if (fields.length > 0) changes.push({ kind: 'changed', node: node.id, type: node.type, fields });
  }
  for (const node of before.nodes) {
    if (!now.has(node.id)) changes.push({ kind: 'removed', node: node.id, type: node.type, fields: [] });
  }
  return changes;
}

function withoutNodes(definition: Definition): Json {
  const { nodes: _nodes, ui: _ui, ...rest } = definition;
  return rest as Json;
}

function plain(node: NodeDefinition): Json {
  return node as unknown as Json;
}

function differences(before: Json | undefined, after: Json | undefined, place = ''): FieldChange[] {
  if (sameJson(before, after)) return [];
  if (!isObject(before) || !isObject(after)) return [{ place, before, after }];
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  return names.flatMap(name => differences(before[name], after[name], place ? `${place}.${name}` : name));
}
