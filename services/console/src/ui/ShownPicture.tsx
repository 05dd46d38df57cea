import { IconPhotoOff } from '@tabler/icons-react';
import { useEffect, useEffectEvent, useState, type ComponentProps } from 'react';
import { fateOf, isBack, isOurs, type Fate } from './pictureFate';
import classes from './ShownPicture.module.css';

interface Props extends Omit<ComponentProps<'img'>, 'src' | 'onError'> {
  /** Where it may be had, the best first. Without any, `ref` is to see to it. */
  sources?: readonly string[];
  alt: string;
  /** Where there is room for a sign, and for no word. */
  tiny?: boolean;
}

/** A picture, or a word where it cannot be had: stored ones are deleted in time, and what was chosen need not be one. */
export function ShownPicture({ sources, alt, tiny = false, ...rest }: Props) {
  const [broken, setBroken] = useState<readonly (string | undefined)[]>([]);
  const source = sources?.find(one => !broken.includes(one));
  if (source === undefined && (sources || broken.length > 0))
    return <Missing source={sources?.at(-1)} alt={alt} tiny={tiny} onBack={() => setBroken([])} />;
  return <img {...rest} src={source} alt={alt} onError={() => setBroken([...broken, source])} />;
}

const HELP: Record<Fate | 'unknown', string> = {
  unknown: 'It may have been deleted, or be of a format that the browser does not know.',
  gone: 'It is not on the server any more.',
  odd: 'The browser does not know its format.',
  away: 'The server did not give it. It is tried again by itself.',
};

interface MissingProps {
  source: string | undefined;
  alt: string;
  tiny: boolean;
  /** It may be had again. */
  onBack(): void;
}

function Missing({ source, alt, tiny, onBack }: MissingProps) {
  const [fate, setFate] = useState<Fate | 'unknown'>('unknown');
  const tell = useEffectEvent(onBack);
  useEffect(() => {
    if (!source || !isOurs(source)) return;
    const leaving = new AbortController();
    const { signal } = leaving;
    const learn = async (): Promise<void> => {
      const now = await fateOf(source, signal);
      if (signal.aborted) return;
      setFate(now);
      if (now === 'away' && (await isBack(source, signal))) tell();
    };
    void learn();
    return () => leaving.abort();
  }, [source]);
  const word = fate === 'away' ? 'cannot be loaded' : 'cannot be shown';
  const name = alt ? `${alt}: ${word}` : `The picture ${word}`;
  return (
    <span
      className={classes.missing}
      data-tiny={tiny || undefined}
      role="img"
      aria-label={name}
      title={`${name}. ${HELP[fate]}`}
    >
      <IconPhotoOff size={20} stroke={1.5} aria-hidden />
      {!tiny && <span>{word}</span>}
    </span>
  );
}
