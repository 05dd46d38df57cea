import { IconPhotoOff } from '@tabler/icons-react';
import { useState } from 'react';
import { blobUrl, thumbnailUrl, type ImageValue } from '~/lib/values';
import classes from './Thumbnail.module.css';

interface Props {
  image: ImageValue;
  height: number;
  alt?: string;
}

/** A picture in a frame of a fixed height: a small copy, the whole where none can be had, a sign where both are gone. */
export function Thumbnail({ image, height, alt = '' }: Props) {
  const [broken, setBroken] = useState<readonly string[]>([]);
  const sources = [thumbnailUrl(image, height * window.devicePixelRatio), blobUrl(image.blob)];
  const source = sources.find(one => !broken.includes(one));
  return (
    <div className={classes.frame} style={{ height }}>
      {source ? (
        <img
          src={source}
          alt={alt}
          loading="lazy"
          decoding="async"
          draggable={false}
          data-tiny={image.width < 100 || undefined}
          onError={() => setBroken([...broken, source])}
        />
      ) : (
        <IconPhotoOff size={20} stroke={1.5} role="img" aria-label="The picture is no longer there" />
      )}
    </div>
  );
}
