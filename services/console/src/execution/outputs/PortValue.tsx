import { Button, Code, Group, Modal, Skeleton, Text } from '@mantine/core';
import { IconMaximize } from '@tabler/icons-react';
import { useMemo, useState } from 'react';
import type { Json } from '~/api/types';
import { formatCount } from '~/lib/format';
import { allImages, asImage, asOverlay, asReference, asVector, type ImageValue } from '~/lib/values';
import { JsonTree } from '~/ui/JsonTree';
import { Thumbnail } from '~/ui/Thumbnail';
import { VectorPlot } from '~/ui/VectorPlot';
import { ImageViewer } from '~/viewer/ImageViewer';
import { useCandidates } from './useCandidates';
import { useResolved } from './useResolved';
import classes from './PortValue.module.css';

const MOST_THUMBNAILS = 60;

interface Props {
  name: string;
  value: Json;
  /** With room: pictures are shown large at once. */
  large?: boolean;
}

/** A value as what it is: a picture, boxes on a picture, a vector, or JSON. */
export function PortValue({ name, value, large = false }: Props) {
  const values = useMemo(() => [value], [value]);
  const [resolved] = useResolved(values);
  if (resolved === undefined) return <Skeleton height={60} />;
  return <Shown name={name} value={resolved} large={large} wasLarge={asReference(value) !== null} />;
}

function Shown({
  name,
  value,
  large,
  wasLarge,
}: {
  name: string;
  value: Json;
  large: boolean;
  wasLarge: boolean;
}) {
  const image = asImage(value);
  const vector = asVector(value);
  const [open, setOpen] = useState<ImageValue | null>(null);
  const images = image ? [] : allImages(value, MOST_THUMBNAILS + 1);
  if (image) return large ? <Viewed image={image} alt={name} /> : <Small image={image} name={name} />;
  if (vector) return <VectorPlot values={vector} />;
  if (typeof value !== 'object' || value === null) {
    return (
      <Code block tabIndex={0}>
        {typeof value === 'string' ? value : JSON.stringify(value)}
      </Code>
    );
  }
  const overlay = asOverlay(value);
  return (
    <>
      {overlay && <OverlayNote overlay={value} />}
      {images.length > 0 && (
        <div className={classes.strip}>
          {images.slice(0, MOST_THUMBNAILS).map((one, index) => (
            <button
              key={`${one.blob}${index}`}
              type="button"
              onClick={() => setOpen(one)}
              aria-label={`Picture ${index} of ${name}`}
            >
              <Thumbnail image={one} height={84} />
            </button>
          ))}
          {images.length > MOST_THUMBNAILS && <Text size="xs">and more</Text>}
        </div>
      )}
      <JsonTree value={value} open={wasLarge || images.length > 0 || overlay ? 0 : 1} label={name} />
      <Modal opened={open !== null} onClose={() => setOpen(null)} size="90%" title={name}>
        {open && <Viewed image={open} alt={name} />}
      </Modal>
    </>
  );
}

function Viewed({ image, alt }: { image: ImageValue; alt: string }) {
  const candidates = useCandidates();
  return <ImageViewer image={image} candidates={candidates} alt={alt} />;
}

function Small({ image, name }: { image: ImageValue; name: string }) {
  const [open, setOpen] = useState(false);
  return (
    <>
      <button type="button" className={classes.picture} onClick={() => setOpen(true)}>
        <Thumbnail image={image} height={200} alt={name} />
        <span>
          {image.width} × {image.height} {image.format} <IconMaximize size={13} aria-hidden />
        </span>
      </button>
      <Modal opened={open} onClose={() => setOpen(false)} size="90%" title={name}>
        <Viewed image={image} alt={name} />
      </Modal>
    </>
  );
}

/** Boxes are best seen on their picture. */
function OverlayNote({ overlay }: { overlay: Json }) {
  const found = asOverlay(overlay);
  const [open, setOpen] = useState(false);
  if (!found) return null;
  const image: ImageValue | null = found.image_id
    ? { kind: 'image', blob: found.image_id, width: found.width, height: found.height, format: 'png' }
    : null;
  return (
    <Group justify="space-between" mb={4}>
      <Text size="sm">{formatCount(found.items.length)} found</Text>
      {image && (
        <Button
          size="compact-xs"
          variant="light"
          leftSection={<IconMaximize size={13} />}
          onClick={() => setOpen(true)}
        >
          On the picture
        </Button>
      )}
      <Modal opened={open} onClose={() => setOpen(false)} size="90%" title="What was found">
        {image && <Viewed image={image} alt="The picture it was found on" />}
      </Modal>
    </Group>
  );
}
