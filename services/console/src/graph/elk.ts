/** A layout by ELK, in a worker of its own: slow to load, and better with crossings than the one that is there at once. */
import ELK from 'elkjs/lib/elk-api';
import workerUrl from 'elkjs/lib/elk-worker.min.js?url';
import type { Positions, Sized } from './layers';

const OPTIONS = {
  'elk.algorithm': 'layered',
  'elk.direction': 'RIGHT',
  'elk.layered.spacing.nodeNodeBetweenLayers': '70',
  'elk.spacing.nodeNode': '34',
  'elk.layered.nodePlacement.strategy': 'BRANDES_KOEPF',
  'elk.layered.considerModelOrder.strategy': 'NODES_AND_EDGES',
};

let elk: InstanceType<typeof ELK> | null = null;

export async function elkLayout(
  nodes: readonly Sized[],
  edges: readonly { id: string; source: string; target: string }[],
): Promise<Positions> {
  elk ??= new ELK({ workerUrl });
  const found = await elk.layout({
    id: 'root',
    layoutOptions: OPTIONS,
    children: nodes.map(node => ({ ...node })),
    edges: edges.map(edge => ({ id: edge.id, sources: [edge.source], targets: [edge.target] })),
  });
  return new Map(
    (found.children ?? []).map(child => [child.id, [Math.round(child.x ?? 0), Math.round(child.y ?? 0)]]),
  );
}
