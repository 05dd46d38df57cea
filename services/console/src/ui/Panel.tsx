import type { ReactNode } from 'react';
import classes from './Panel.module.css';

interface Props {
  title?: string;
  aside?: ReactNode;
  children: ReactNode;
  /** Without padding, for tables and lists that reach the edge. */
  flush?: boolean;
}

/** A card with a heading. */
export function Panel({ title, aside, children, flush = false }: Props) {
  return (
    <section className={classes.panel} aria-label={title}>
      {(title || aside) && (
        <header className={classes.header}>
          {title && <h2 className={classes.title}>{title}</h2>}
          <span className={classes.aside}>{aside}</span>
        </header>
      )}
      <div className={flush ? undefined : classes.body}>{children}</div>
    </section>
  );
}
