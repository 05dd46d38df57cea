import type { Block } from '~/api/types';
import type { Catalogue } from '~/graph/ports';
import { entryOf } from '~/lib/json';

/** One entry per block, the newest version. */
export function newestBlocks(catalogue: Catalogue): Block[] {
  return [...catalogue].flatMap(([key, block]) => (key === block.type ? [block] : []));
}

/** What people look for who do not know yet how a block is called here. */
const SYNONYMS: Record<string, string> = {
  image_input: 'photo picture camera',
  parameter_input: 'number text value variable',
  detection: 'yolo detector boxes find',
  classification: 'classify label tag',
  segmentation: 'yolo masks instances',
  embedding: 'vector feature clip',
  similarity_search: 'nearest neighbours knn lookup vector',
  tensor: 'onnx',
  crop: 'cut split',
  resize: 'scale letterbox',
  tile: 'split slice sahi',
  stitch: 'merge join nms',
  rotate_flip: 'mirror turn',
  normalize: 'contrast',
  smoothing: 'denoise blur',
  blur_region: 'anonymize anonymise privacy pixelate redact polygon',
  draw_boxes: 'annotate visualize visualise bounding',
  draw_masks: 'annotate visualize visualise polygon',
  heatmap: 'density',
  comparison: 'compare diff',
  grid_builder: 'montage mosaic collage',
  condition: 'if else branch gate',
  switch: 'case route branch split',
  first_of: 'merge join either fallback',
  filter: 'threshold where keep zone polygon',
  for_each: 'loop iterate split',
  collect: 'merge join gather loop',
  map: 'transform compute',
  delay: 'wait sleep pause',
  sub_workflow: 'call reuse nested',
  json_output: 'result save return',
  webhook: 'send save notify post http',
  api_response: 'answer return reply',
  aggregation: 'statistics average total',
};

/** How well a word fits, best first: what it is called says more than what it has. */
const EXACT = 100;
const WHOLE = 9;
const MEANT = 7;
const BEGINS = 5;
const HAS = 3;
const INSIDE = 1;

/** Blocks that have every word of `text` in their name, meaning, settings, ports or help; those of that very name first. */
export function searchBlocks(blocks: readonly Block[], text: string): Block[] {
  const words = wordsOf(text);
  if (words.length === 0) return [...blocks];
  const scored = blocks.flatMap(block => {
    const score = scoreOf(block, words);
    return score === null ? [] : [{ block, score }];
  });
  return scored.sort((a, b) => b.score - a.score).map(({ block }) => block);
}

function scoreOf(block: Block, words: readonly string[]): number | null {
  const names = [wordsOf(block.title), wordsOf(block.type)];
  const isName = names.some(name => name.join(' ') === words.join(' '));
  const title = names.flat();
  const meant = wordsOf(entryOf(SYNONYMS, block.type) ?? '');
  const ports = [...block.inputs, ...block.outputs].map(port => port.name);
  const parts = wordsOf([...ports, ...Object.keys(block.config.properties ?? {})].join(' '));
  const all = `${block.type} ${block.category} ${block.help}`.toLowerCase();
  let score = isName ? EXACT : 0;
  for (const word of words) {
    const begins = (part: string) => part.startsWith(word);
    if (title.includes(word)) score += WHOLE;
    else if (meant.includes(word)) score += MEANT;
    else if (title.some(begins)) score += BEGINS;
    else if (meant.some(begins) || parts.some(begins)) score += HAS;
    else if (all.includes(word)) score += INSIDE;
    else return null;
  }
  return score;
}

function wordsOf(text: string): string[] {
  return text
    .toLowerCase()
    .split(/[\s/_-]+/)
    .filter(Boolean);
}
