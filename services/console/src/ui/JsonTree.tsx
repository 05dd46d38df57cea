import { IconChevronRight } from '@tabler/icons-react';
import { useState } from 'react';
import type { Json } from '~/api/types';
import { isObject, preview } from '~/lib/json';
import classes from './JsonTree.module.css';

/** Children that are shown before one asks for more. */
const PAGE = 100;

interface Props {
  value: Json;
  /** Levels that are open at first. */
  open?: number;
  label?: string;
}

/** JSON that opens level by level; only what is open is there. */
export function JsonTree({ value, open = 1, label = 'JSON' }: Props) {
  return (
    <div className={classes.tree} role="tree" aria-label={label}>
      <Branch name={null} value={value} open={open} level={1} />
    </div>
  );
}

interface BranchProps {
  name: string | null;
  value: Json;
  open: number;
  level: number;
}

function Branch({ name, value, open, level }: BranchProps) {
  const [opened, setOpened] = useState(open > 0);
  const [shown, setShown] = useState(PAGE);
  const isList = Array.isArray(value);
  if (!isList && !isObject(value)) {
    return (
      <div className={classes.line} role="treeitem" aria-level={level} aria-selected={false}>
        <Name name={name} />
        <Leaf value={value} />
      </div>
    );
  }
  const entries: [string, Json][] = isList
    ? value.map((item, index) => [String(index), item])
    : Object.entries(value);
  const [before, after] = isList ? '[]' : '{}';
  return (
    <div role="treeitem" aria-level={level} aria-expanded={opened} aria-selected={false}>
      <button type="button" className={classes.line} onClick={() => setOpened(!opened)}>
        <IconChevronRight size={13} className={classes.chevron} data-open={opened || undefined} aria-hidden />
        <Name name={name} />
        <span className={classes.faint}>
          {opened ? `${before}${entries.length}${after}` : preview(value, 90)}
        </span>
      </button>
      {opened && (
        <div className={classes.children} role="group">
          {entries.slice(0, shown).map(([key, part]) => (
            <Branch key={key} name={key} value={part} open={open - 1} level={level + 1} />
          ))}
          {entries.length > shown && (
            <button
              type="button"
              className={`${classes.line} ${classes.faint}`}
              onClick={() => setShown(shown + PAGE)}
            >
              {entries.length - shown} more…
            </button>
          )}
        </div>
      )}
    </div>
  );
}

function Name({ name }: { name: string | null }) {
  return name === null ? null : <span className={classes.name}>{name}: </span>;
}

function Leaf({ value }: { value: Json }) {
  const kind = value === null ? 'null' : typeof value;
  return (
    <span className={classes.leaf} data-kind={kind}>
      {typeof value === 'string' ? `"${value}"` : String(value)}
    </span>
  );
}
