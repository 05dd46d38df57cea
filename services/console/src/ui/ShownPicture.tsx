import { IconPhotoOff } from '@tabler/icons-react';
import { useState, type ComponentProps } from 'react';
import classes from './ShownPicture.module.css';

interface Props extends Omit<ComponentProps<'img'>, 'src' | 'onError'> {
  /** Where it may be had, the best first. Without any, `ref` is to see to it. */
  sources?: readonly string[];
  alt: string;
  /** Where there is room for a sign, and for no word. */
  tiny?: boolean;
}

const HELP = 'It may have been deleted, or be of a format that the browser does not know.';

/** A picture, or a word where it cannot be had: stored ones are deleted in time, and what was chosen need not be one. */
export function ShownPicture({ sources, alt, tiny = false, ...rest }: Props) {
  const [broken, setBroken] = useState<readonly (string | undefined)[]>([]);
  const source = sources?.find(one => !broken.includes(one));
  if (source === undefined && (sources || broken.length > 0)) {
    const name = alt ? `${alt}: cannot be shown` : 'The picture cannot be shown';
    return (
      <span
        className={classes.missing}
        data-tiny={tiny || undefined}
        role="img"
        aria-label={name}
        title={`${name}. ${HELP}`}
      >
        <IconPhotoOff size={20} stroke={1.5} aria-hidden />
        {!tiny && <span>cannot be shown</span>}
      </span>
    );
  }
  return <img {...rest} src={source} alt={alt} onError={() => setBroken([...broken, source])} />;
}
