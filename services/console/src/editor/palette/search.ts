import type { Block } from '~/api/types';
import type { Catalogue } from '~/graph/ports';

/** One entry per block, the newest version. */
export function newestBlocks(catalogue: Catalogue): Block[] {
  return [...catalogue].flatMap(([key, block]) => (key === block.type ? [block] : []));
}

/** Blocks that have every word of `text` in their name, title, help or ports; names first. */
export function searchBlocks(blocks: readonly Block[], text: string): Block[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return [...blocks];
  const scored = blocks.flatMap(block => {
    const title = `${block.type.replaceAll('_', ' ')} ${block.title}`.toLowerCase();
    const ports = [...block.inputs, ...block.outputs].map(port => port.name).join(' ');
    const all = `${title} ${block.type} ${block.category} ${block.help} ${ports}`.toLowerCase();
    if (!words.every(word => all.includes(word))) return [];
    const begins = words.filter(word => title.split(' ').some(part => part.startsWith(word))).length;
    return [{ block, score: begins }];
  });
  return scored.sort((a, b) => b.score - a.score).map(({ block }) => block);
}
