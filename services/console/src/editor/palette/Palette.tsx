import { CloseButton, ScrollArea, Text, TextInput, Tooltip } from '@mantine/core';
import { useHotkeys } from '@mantine/hooks';
import { IconSearch } from '@tabler/icons-react';
import { useMemo, useRef, useState, type KeyboardEvent } from 'react';
import { flushSync } from 'react-dom';
import type { Block } from '~/api/types';
import { CATEGORIES, CATEGORY_TITLES, CategoryIcon } from '~/graph/CategoryIcon';
import { isCovered } from '~/lib/covered';
import { Marked } from '~/ui/Marked';
import { useEditor } from '../store';
import classes from './Palette.module.css';
import { newestBlocks, searchBlocks } from './search';
import { BLOCK_DRAG } from './useAddBlock';
import { usePutBlock } from './usePutBlock';

interface Props {
  /** Whether it is there on a screen without room for it: as a sheet. */
  open: boolean;
  onOpen(open: boolean): void;
}

/** Every block, by shelf; dragged to a place, or pressed to be put beside what is selected. */
export function Palette({ open, onOpen }: Props) {
  const catalogue = useEditor(state => state.catalogue);
  const putBlock = usePutBlock();
  const [text, setText] = useState('');
  const input = useRef<HTMLInputElement>(null);
  const search = (): void => {
    if (isCovered()) return;
    // What is not shown cannot be typed into.
    flushSync(() => onOpen(true));
    input.current?.focus();
  };
  // With Shift as well: on many keyboards the slash lies above a digit.
  useHotkeys([
    ['/', search],
    ['shift+/', search],
  ]);
  const blocks = useMemo(() => newestBlocks(catalogue), [catalogue]);
  const found = searchBlocks(blocks, text);
  const add = (block: Block): void => {
    putBlock(block);
    onOpen(false);
  };
  const onKey = (event: KeyboardEvent): void => {
    const first = found[0];
    if (event.key === 'Enter' && first) {
      add(first);
      setText('');
    }
    if (event.key === 'Escape') {
      input.current?.blur();
      onOpen(false);
    }
  };
  const shelves = text ? [{ title: 'Found', blocks: found }] : shelvesOf(blocks);
  return (
    <aside className={classes.palette} aria-label="Palette" data-open={open || undefined}>
      <CloseButton
        className={classes.close}
        size="sm"
        aria-label="Close the palette"
        onClick={() => onOpen(false)}
      />
      <TextInput
        ref={input}
        size="xs"
        m="sm"
        mb={6}
        placeholder="Search blocks"
        aria-label="Search blocks"
        leftSection={<IconSearch size={14} />}
        rightSection={<kbd className={classes.key}>/</kbd>}
        value={text}
        onChange={event => setText(event.currentTarget.value)}
        onKeyDown={onKey}
      />
      <ScrollArea className={classes.scroll} type="hover" offsetScrollbars="y">
        {shelves.map(shelf => (
          <section key={shelf.title} aria-label={shelf.title}>
            <h2 className={classes.shelf}>{shelf.title}</h2>
            {shelf.blocks.map(block => (
              <Tooltip key={block.id} label={<Marked text={block.help} />} position="right">
                <button
                  type="button"
                  className={classes.block}
                  draggable
                  data-block={block.type}
                  onDragStart={event => {
                    event.dataTransfer.setData(BLOCK_DRAG, block.type);
                    event.dataTransfer.effectAllowed = 'copy';
                  }}
                  onClick={() => add(block)}
                >
                  <CategoryIcon category={block.category} type={block.type} />
                  {block.title}
                </button>
              </Tooltip>
            ))}
          </section>
        ))}
        {found.length === 0 && (
          <Text size="sm" c="dimmed" p="md">
            No block of that name.
          </Text>
        )}
      </ScrollArea>
    </aside>
  );
}

function shelvesOf(blocks: readonly Block[]): { title: string; blocks: Block[] }[] {
  return CATEGORIES.map(category => ({
    title: CATEGORY_TITLES[category],
    blocks: blocks.filter(block => block.category === category),
  })).filter(shelf => shelf.blocks.length > 0);
}
