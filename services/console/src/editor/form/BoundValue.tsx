import { ActionIcon, Group, Menu, ScrollArea, Tooltip } from '@mantine/core';
import { IconLink, IconLinkOff } from '@tabler/icons-react';
import { useMemo } from 'react';
import { fits } from '~/graph/kinds';
import { isInputNode, writeSelector } from '~/graph/selectors';
import { labelOf } from '~/lib/format';
import { behind } from '../document/circles';
import { useEditor } from '../store';
import classes from './BoundValue.module.css';

/** A value that comes from another node. */
export function BoundValue({ text, onRelease }: { text: string; onRelease(): void }) {
  return (
    <Group gap={6} className={classes.bound} wrap="nowrap">
      <IconLink size={13} aria-hidden />
      <span className="mono">{text}</span>
      <Tooltip label="Write the value here instead">
        <ActionIcon size="xs" ml="auto" onClick={onRelease} aria-label={`Unlink ${text}`}>
          <IconLinkOff size={13} />
        </ActionIcon>
      </Tooltip>
    </Group>
  );
}

export interface Source {
  /** `$nodes.detect.count`. */
  selector: string;
  kind: string;
  isInput: boolean;
}

/** Everything that may stand at a place of kind `wanted` in node `id`. */
export function useSources(id: string, wanted: readonly string[]): Source[] {
  const nodes = useEditor(state => state.nodes);
  const ports = useEditor(state => state.ports);
  const edges = useEditor(state => state.edges);
  return useMemo(() => {
    const after = behind(edges, id);
    return [...nodes.values()].flatMap(node => {
      if (after.has(node.id)) return [];
      return (ports.get(node.id)?.outputs ?? [])
        .filter(port => wanted.some(kind => fits(port.kind, kind)))
        .map(port => ({
          selector: writeSelector(node, port.name),
          kind: port.kind,
          isInput: isInputNode(node),
        }));
    });
  }, [nodes, ports, edges, id, wanted]);
}

interface BindProps {
  node: string;
  name: string;
  wanted: string;
  onBind(selector: string): void;
}

/** Offers what may be put in a setting's place. */
export function BindMenu({ node, name, wanted, onBind }: BindProps) {
  const kinds = useMemo(() => [wanted], [wanted]);
  const sources = useSources(node, kinds);
  if (sources.length === 0) return null;
  return (
    <Menu position="bottom-end" withinPortal>
      <Menu.Target>
        <Tooltip label="Take it from an input or another node">
          <ActionIcon size="xs" aria-label={`Take ${labelOf(name)} from another node`}>
            <IconLink size={13} />
          </ActionIcon>
        </Tooltip>
      </Menu.Target>
      <Menu.Dropdown>
        <ScrollArea.Autosize mah={260}>
          {sources.map(source => (
            <Menu.Item
              key={source.selector}
              onClick={() => onBind(source.selector)}
              rightSection={<small>{source.kind}</small>}
            >
              <span className="mono">{source.selector}</span>
            </Menu.Item>
          ))}
        </ScrollArea.Autosize>
      </Menu.Dropdown>
    </Menu>
  );
}
