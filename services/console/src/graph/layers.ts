/**
 * A layered layout, left to right, at once and without a worker: what a workflow without saved places opens with.
 * Longest path for the layers, barycentres for the order in each, so that a few hundred nodes take milliseconds.
 */
import type { Position } from './places';

export interface Sized {
  id: string;
  width: number;
  height: number;
}

export type Positions = Map<string, Position>;

const GAP_X = 60;
const GAP_Y = 36;
const SWEEPS = 6;

export function layered(
  nodes: readonly Sized[],
  edges: readonly { source: string; target: string }[],
): Positions {
  const layers = order(assign(nodes, edges), edges);
  const positions: Positions = new Map();
  let x = 0;
  for (const layer of layers) {
    const height = layer.reduce((sum, node) => sum + node.height + GAP_Y, -GAP_Y);
    let y = -height / 2;
    for (const node of layer) {
      positions.set(node.id, [x, Math.round(y)]);
      y += node.height + GAP_Y;
    }
    x += Math.max(...layer.map(node => node.width)) + GAP_X;
  }
  return positions;
}

/** The same from top to bottom, for screens that are taller than wide. */
export function layeredDown(
  nodes: readonly Sized[],
  edges: readonly { source: string; target: string }[],
): Positions {
  const turned = nodes.map(({ id, width, height }) => ({ id, width: height, height: width }));
  return new Map([...layered(turned, edges)].map(([id, [x, y]]) => [id, [y, x]]));
}

/** How many nodes stand before each, at most, on a way to it. */
export function depthsOf(
  nodes: readonly { id: string }[],
  edges: readonly { source: string; target: string }[],
): Map<string, number> {
  const incoming = new Map<string, string[]>(nodes.map(node => [node.id, []]));
  for (const { source, target } of edges) {
    if (incoming.has(source)) incoming.get(target)?.push(source);
  }
  const depth = new Map<string, number>();
  const visiting = new Set<string>();
  const depthOf = (id: string): number => {
    const known = depth.get(id);
    if (known !== undefined) return known;
    // A cycle is drawn as far as it goes; the validator says what is wrong with it.
    if (visiting.has(id)) return 0;
    visiting.add(id);
    const deepest = Math.max(-1, ...(incoming.get(id) ?? []).map(depthOf));
    visiting.delete(id);
    depth.set(id, deepest + 1);
    return deepest + 1;
  };
  for (const node of nodes) depthOf(node.id);
  return depth;
}

function assign(nodes: readonly Sized[], edges: readonly { source: string; target: string }[]): Sized[][] {
  const depth = depthsOf(nodes, edges);
  const layers: Sized[][] = [];
  for (const node of nodes) (layers[depth.get(node.id) ?? 0] ??= []).push(node);
  return layers.filter(layer => layer !== undefined);
}

function order(layers: Sized[][], edges: readonly { source: string; target: string }[]): Sized[][] {
  const neighbours = (from: 'source' | 'target') => {
    const map = new Map<string, string[]>();
    const to = from === 'source' ? 'target' : 'source';
    for (const edge of edges) map.set(edge[from], [...(map.get(edge[from]) ?? []), edge[to]]);
    return map;
  };
  const [before, after] = [neighbours('target'), neighbours('source')];
  const place = new Map<string, number>();
  const note = (layer: Sized[]) =>
    layer.forEach((node, index) => place.set(node.id, (index + 0.5) / layer.length));
  layers.forEach(note);
  for (let sweep = 0; sweep < SWEEPS; sweep += 1) {
    const forward = sweep % 2 === 0;
    for (const layer of forward ? layers : layers.toReversed()) {
      const centre = new Map(
        layer.map(node => [node.id, barycentre(node.id, forward ? before : after, place)]),
      );
      layer.sort((a, b) => (centre.get(a.id) ?? 0) - (centre.get(b.id) ?? 0));
      note(layer);
    }
  }
  return layers;
}

function barycentre(id: string, neighbours: Map<string, string[]>, place: Map<string, number>): number {
  const places = (neighbours.get(id) ?? []).flatMap(neighbour => place.get(neighbour) ?? []);
  if (places.length === 0) return place.get(id) ?? 0;
  return places.reduce((sum, at) => sum + at, 0) / places.length;
}
