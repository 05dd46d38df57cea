import { blobUrl, thumbnailUrl, type ImageValue } from '~/lib/values';
import { ShownPicture } from './ShownPicture';
import classes from './Thumbnail.module.css';

/** Less than this is too low for a word below a sign. */
const TINY = 48;

interface Props {
  image: ImageValue;
  height: number;
  alt?: string;
}

/** A picture in a frame of a fixed height: a small copy, or the whole where none can be had. */
export function Thumbnail({ image, height, alt = '' }: Props) {
  return (
    <div className={classes.frame} style={{ height }}>
      <ShownPicture
        sources={[thumbnailUrl(image, height * window.devicePixelRatio), blobUrl(image.blob)]}
        alt={alt}
        tiny={height < TINY}
        loading="lazy"
        decoding="async"
        draggable={false}
        data-tiny={image.width < 100 || undefined}
      />
    </div>
  );
}
