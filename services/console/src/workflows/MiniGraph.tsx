import { useMemo } from 'react';
import type { Category, Definition } from '~/api/types';
import { layered } from '~/graph/layers';
import { blockName, edgesOf } from '~/graph/selectors';

const SIZE = { width: 120, height: 46 };
const MARGIN = 40;

/** A workflow's shape at a glance. */
export function MiniGraph({ definition, height = 110 }: { definition: Definition; height?: number }) {
  const { places, lines, box } = useMemo(() => draw(definition), [definition]);
  return (
    <svg
      viewBox={box}
      height={height}
      width="100%"
      aria-hidden
      style={{ background: 'var(--surface-sunken)' }}
    >
      {lines.map(({ key, from, to }) => (
        <path
          key={key}
          d={`M${from[0]},${from[1]} C${(from[0] + to[0]) / 2},${from[1]} ${(from[0] + to[0]) / 2},${to[1]} ${to[0]},${to[1]}`}
          fill="none"
          stroke="var(--line-strong)"
          strokeWidth={4}
        />
      ))}
      {places.map(({ id, type, x, y }) => (
        <rect
          key={id}
          x={x}
          y={y}
          width={SIZE.width}
          height={SIZE.height}
          rx={12}
          fill="var(--surface)"
          stroke={`var(--category-${categoryGuess(type)})`}
          strokeWidth={5}
        />
      ))}
    </svg>
  );
}

function draw(definition: Definition) {
  const edges = edgesOf(definition);
  const positions = layered(
    definition.nodes.map(node => ({ id: node.id, ...SIZE })),
    edges,
  );
  const places = definition.nodes.map(node => {
    const [x, y] = positions.get(node.id) ?? [0, 0];
    return { id: node.id, type: blockName(node.type), x, y };
  });
  const at = new Map(places.map(place => [place.id, place]));
  const lines = edges.flatMap(edge => {
    const [source, target] = [at.get(edge.source), at.get(edge.target)];
    if (!source || !target) return [];
    const from = [source.x + SIZE.width, source.y + SIZE.height / 2] as const;
    return [{ key: edge.id, from, to: [target.x, target.y + SIZE.height / 2] as const }];
  });
  const xs = places.map(place => place.x);
  const ys = places.map(place => place.y);
  const [left, top] = [Math.min(0, ...xs) - MARGIN, Math.min(0, ...ys) - MARGIN];
  const width = Math.max(0, ...xs) + SIZE.width + MARGIN - left;
  const height = Math.max(0, ...ys) + SIZE.height + MARGIN - top;
  return { places, lines, box: `${left} ${top} ${Math.max(width, 500)} ${Math.max(height, 160)}` };
}

/** Enough for a picture of this size; the editor asks the catalogue. */
function categoryGuess(type: string): Category {
  if (type.endsWith('_input')) return 'input';
  if (/^(json_output|webhook|api_response)$/.test(type)) return 'output';
  if (/^(detection|classification|embedding|segmentation|tensor|similarity_search)$/.test(type))
    return 'model';
  if (/^(condition|switch|first_of|filter|for_each|collect|map|delay|sub_workflow|aggregation)$/.test(type))
    return 'logic';
  return 'transform';
}
