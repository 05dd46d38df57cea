import { blobUrl, type ImageValue } from '~/lib/values';
import classes from './Thumbnail.module.css';

interface Props {
  image: ImageValue;
  height: number;
  alt?: string;
}

/** A picture in a frame of a fixed height. */
export function Thumbnail({ image, height, alt = '' }: Props) {
  return (
    <div className={classes.frame} style={{ height }}>
      <img
        src={blobUrl(image.blob)}
        alt={alt}
        loading="lazy"
        decoding="async"
        draggable={false}
        data-tiny={image.width < 100 || undefined}
      />
    </div>
  );
}
