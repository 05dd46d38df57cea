import type { ReactNode } from 'react';
import classes from './Tile.module.css';

interface Props {
  label: string;
  value: ReactNode;
  /** What the figure means, or what it is made of. */
  note?: ReactNode;
  alarming?: boolean;
  children?: ReactNode;
}

/** One figure. */
export function Tile({ label, value, note, alarming = false, children }: Props) {
  return (
    <div className={classes.tile} data-alarming={alarming || undefined}>
      <span className={classes.label}>{label}</span>
      <span className={classes.value}>{value}</span>
      {note && <span className={classes.note}>{note}</span>}
      {children}
    </div>
  );
}
