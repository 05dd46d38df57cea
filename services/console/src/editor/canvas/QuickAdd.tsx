import { Combobox, ScrollArea, useCombobox } from '@mantine/core';
import { useClickOutside } from '@mantine/hooks';
import { useEffect, useMemo, useState } from 'react';
import { CategoryIcon } from '~/graph/CategoryIcon';
import { NODE_WIDTH } from '../document/places';
import { newestBlocks, searchBlocks } from '../palette/search';
import { useAddBlock } from '../palette/useAddBlock';
import { useEditor } from '../store';
import { fittingBlocks, matchOf } from './fitting';
import { portOf, placeOf } from './handles';
import classes from './QuickAdd.module.css';
import { wireUp, type QuickAddRequest } from './useConnecting';

/** Blocks that fit the loose end of a wire; the one chosen is placed there and wired. */
export function QuickAdd({ request, onClose }: { request: QuickAddRequest; onClose(): void }) {
  const catalogue = useEditor(state => state.catalogue);
  const addBlock = useAddBlock();
  const [text, setText] = useState('');
  const combobox = useCombobox({ defaultOpened: true });
  const box = useClickOutside(onClose);
  const fitting = useMemo(
    () => fittingBlocks(newestBlocks(catalogue), request.wire),
    [catalogue, request.wire],
  );
  const found = searchBlocks(fitting, text).slice(0, 40);
  const { selectFirstOption } = combobox;
  useEffect(() => {
    selectFirstOption();
  }, [text, selectFirstOption]);
  const choose = (type: string): void => {
    const block = catalogue.get(type);
    const match = block && matchOf(block, request.wire)?.handle;
    if (!match) return;
    const { wire, handle, canvas } = request;
    const isSource = wire.end === 'source';
    addBlock(type, [canvas[0] - (isSource ? 0 : NODE_WIDTH), canvas[1] - 40], (before, id) => {
      const port = isSource ? portOf(handle) : match;
      const place = isSource ? placeOf(match) : placeOf(handle);
      if (port === null || place === null) return before;
      return isSource
        ? wireUp(before, wire.node, port, id, place)
        : wireUp(before, id, port, wire.node, place);
    });
    onClose();
  };
  return (
    <div
      ref={box}
      className={`${classes.box} nodrag nopan nowheel`}
      style={{
        left: Math.min(request.screen[0], window.innerWidth - 290),
        top: Math.min(request.screen[1], window.innerHeight - 330),
      }}
    >
      <Combobox store={combobox} onOptionSubmit={choose} withinPortal={false}>
        <Combobox.EventsTarget>
          <input
            className={classes.input}
            autoFocus
            placeholder={request.wire.end === 'source' ? 'Send it to…' : 'Take it from…'}
            aria-label="Search blocks that fit"
            value={text}
            onChange={event => setText(event.currentTarget.value)}
            onKeyDown={event => event.key === 'Escape' && onClose()}
          />
        </Combobox.EventsTarget>
        <ScrollArea.Autosize mah={260} type="auto">
          <Combobox.Options>
            {found.map(block => (
              <Combobox.Option key={block.id} value={block.type} className={classes.option}>
                <CategoryIcon category={block.category} type={block.type} />
                {block.title}
              </Combobox.Option>
            ))}
            {found.length === 0 && <Combobox.Empty>No block takes this</Combobox.Empty>}
          </Combobox.Options>
        </ScrollArea.Autosize>
      </Combobox>
    </div>
  );
}
