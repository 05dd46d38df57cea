import { formatCount } from '~/lib/format';
import type { Detection } from '~/lib/values';
import { classColour } from './colour';
import classes from './ImageViewer.module.css';

interface Props {
  items: readonly Detection[];
  hidden: ReadonlySet<string>;
  onToggle(name: string): void;
}

/** The classes that occur, each a switch. */
export function ClassChips({ items, hidden, onToggle }: Props) {
  const found = new Map<string, { first: Detection; count: number }>();
  for (const item of items) {
    const entry = found.get(item.class_name) ?? { first: item, count: 0 };
    entry.count += 1;
    found.set(item.class_name, entry);
  }
  return (
    <div className={classes.chips} role="group" aria-label="Classes">
      {[...found].map(([name, { first, count }]) => (
        <button
          key={name}
          type="button"
          className={classes.chip}
          aria-pressed={!hidden.has(name)}
          onClick={() => onToggle(name)}
        >
          <span style={{ background: classColour(first) }} />
          {name || 'unnamed'} <b>{formatCount(count)}</b>
        </button>
      ))}
    </div>
  );
}
