import type { ReactNode } from 'react';
import classes from './Meter.module.css';

interface Props {
  label: string;
  value: number;
  most: number;
  text: string;
  aside?: ReactNode;
}

/** How full something is. */
export function Meter({ label, value, most, text, aside }: Props) {
  const share = most > 0 ? Math.min(1, value / most) : 0;
  return (
    <div>
      <div className={classes.head}>
        <span>{label}</span>
        {aside}
        <b>{text}</b>
      </div>
      <div
        className={classes.track}
        role="meter"
        aria-label={label}
        aria-valuemin={0}
        aria-valuemax={most}
        aria-valuenow={value}
        aria-valuetext={text}
      >
        <span
          style={{ width: `${share * 100}%` }}
          data-level={share > 0.9 ? 'high' : share > 0.7 ? 'medium' : 'low'}
        />
      </div>
    </div>
  );
}
