import { Button, Code, Group, Modal, Skeleton, Text } from '@mantine/core';
import { IconMaximize } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useMemo, useState } from 'react';
import { valueQuery } from '~/api/queries';
import type { Json } from '~/api/types';
import { formatCount } from '~/lib/format';
import { allImages, asImage, asOverlay, asReference, asVector, type ImageValue } from '~/lib/values';
import { Boundary } from '~/ui/Boundary';
import { JsonTree } from '~/ui/JsonTree';
import { ProblemNotice } from '~/ui/ProblemNotice';
import { Thumbnail } from '~/ui/Thumbnail';
import { VectorPlot } from '~/ui/VectorPlot';
import { ImageViewer } from '~/viewer/ImageViewer';
import type { Candidate } from '~/viewer/layers';
import { useCandidates } from './useCandidates';
import classes from './PortValue.module.css';

const MOST_THUMBNAILS = 60;

interface Props {
  name: string;
  value: Json;
  /** Of the item it belongs to; '' outside loops. */
  path?: string | undefined;
  /** With room: pictures are shown large at once. */
  large?: boolean;
}

/** A value as what it is: a picture, boxes on a picture, a vector, or JSON. */
export function PortValue(props: Props) {
  // Values are anybody's: one that cannot be shown takes nothing else with it.
  return (
    <Boundary of={props.value}>
      <Resolved {...props} />
    </Boundary>
  );
}

function Resolved({ name, value, path = '', large = false }: Props) {
  const digest = asReference(value) ?? undefined;
  const { data, error, refetch } = useQuery(valueQuery(digest));
  const resolved = digest === undefined ? value : data;
  if (resolved === undefined)
    return error ? <ProblemNotice error={error} onRetry={() => void refetch()} /> : <Skeleton height={60} />;
  return <Shown name={name} value={resolved} path={path} large={large} wasLarge={digest !== undefined} />;
}

interface ShownProps {
  name: string;
  value: Json;
  path: string;
  large: boolean;
  wasLarge: boolean;
}

function Shown({ name, value, path, large, wasLarge }: ShownProps) {
  const image = asImage(value);
  const vector = asVector(value);
  const [open, setOpen] = useState<ImageValue | null>(null);
  const images = image ? [] : allImages(value, MOST_THUMBNAILS + 1);
  if (image)
    return large ? (
      <Viewed image={image} path={path} alt={name} />
    ) : (
      <Small image={image} path={path} name={name} />
    );
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
      {overlay && <OverlayNote name={name} overlay={value} path={path} />}
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
        {open && <Viewed image={open} path={path} alt={name} />}
      </Modal>
    </>
  );
}

interface ViewedProps {
  image: ImageValue;
  path: string;
  alt: string;
  asked?: Candidate;
}

function Viewed({ image, path, alt, asked }: ViewedProps) {
  const candidates = useCandidates(path);
  return <ImageViewer image={image} candidates={candidates} asked={asked} alt={alt} />;
}

function Small({ image, path, name }: { image: ImageValue; path: string; name: string }) {
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
        <Viewed image={image} path={path} alt={name} />
      </Modal>
    </>
  );
}

/** Boxes are best seen on their picture. */
function OverlayNote({ name, overlay, path }: { name: string; overlay: Json; path: string }) {
  const found = asOverlay(overlay);
  const [open, setOpen] = useState(false);
  const asked = useMemo(() => ({ label: name, value: overlay }), [name, overlay]);
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
        {image && <Viewed image={image} path={path} asked={asked} alt="The picture it was found on" />}
      </Modal>
    </Group>
  );
}
