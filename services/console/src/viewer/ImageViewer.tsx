import { ActionIcon, Checkbox, Group, Slider, Stack, Text, Tooltip } from '@mantine/core';
import { IconDownload, IconZoomIn, IconZoomOut, IconZoomReset } from '@tabler/icons-react';
import { useCallback, useMemo, useState } from 'react';
import { blobUrl, type Detection, type ImageValue } from '~/lib/values';
import { formatCount } from '~/lib/format';
import { ShownPicture } from '~/ui/ShownPicture';
import { ClassChips } from './ClassChips';
import classes from './ImageViewer.module.css';
import { layersFor, visibleItems, type Candidate } from './layers';
import { Boxes, Masks } from './Overlays';
import { useZoom } from './useZoom';

interface Props {
  image: ImageValue;
  /** Values that may hold boxes or masks of this picture. */
  candidates: readonly Candidate[];
  /** What the picture was opened for: it is shown first, and switched on. */
  asked?: Candidate | undefined;
  alt: string;
}

/** A picture with what was found on it. */
export function ImageViewer({ image, candidates, asked, alt }: Props) {
  const layers = useMemo(() => layersFor(image, candidates, asked), [image, candidates, asked]);
  // The first layer is what was found; others often repeat it, and are there to be switched on.
  const [switched, setSwitched] = useState<ReadonlyMap<string, boolean>>(new Map());
  const [hidden, setHidden] = useState<ReadonlySet<string>>(new Set());
  const [least, setLeast] = useState(0);
  const [active, setActive] = useState<Detection | null>(null);
  const isOn = useCallback(
    (label: string) => switched.get(label) ?? label === layers[0]?.label,
    [switched, layers],
  );
  const { frame, style, scale, zoomIn, zoomOut, reset, handlers, zoomed } = useZoom(image.width);
  const all = useMemo(
    () => layers.filter(layer => isOn(layer.label)).flatMap(layer => layer.overlay.items),
    [layers, isOn],
  );
  const items = useMemo(() => visibleItems(all, { hidden, least }), [all, hidden, least]);
  const hasMasks = items.some(item => item.mask);
  const overlay = { items, width: image.width, height: image.height };
  return (
    <div className={classes.viewer} data-plain={layers.length === 0 || undefined}>
      <div
        ref={frame}
        className={classes.frame}
        {...handlers}
        data-zoomed={zoomed || undefined}
        tabIndex={0}
        role="group"
        aria-label={`${alt || 'The picture'}: + and - zoom, the arrows move it, 0 shows the whole`}
      >
        <div
          className={classes.stage}
          style={{
            ...style,
            aspectRatio: `${image.width} / ${image.height}`,
            maxWidth: `calc(68vh * ${image.width / image.height})`,
          }}
        >
          <ShownPicture
            sources={[blobUrl(image.blob)]}
            alt={alt}
            draggable={false}
            data-pixels={scale < 0.34 || undefined}
          />
          {hasMasks && <Masks {...overlay} />}
          {items.length > 0 && <Boxes {...overlay} scale={scale} active={active} onActive={setActive} />}
        </div>
        <Group gap={4} className={classes.tools}>
          <Tooltip label="Zoom in">
            <ActionIcon variant="default" aria-label="Zoom in" onClick={zoomIn}>
              <IconZoomIn size={16} />
            </ActionIcon>
          </Tooltip>
          <Tooltip label="Zoom out">
            <ActionIcon variant="default" aria-label="Zoom out" disabled={!zoomed} onClick={zoomOut}>
              <IconZoomOut size={16} />
            </ActionIcon>
          </Tooltip>
          {zoomed && (
            <Tooltip label="Show the whole picture">
              <ActionIcon variant="default" aria-label="Show the whole picture" onClick={reset}>
                <IconZoomReset size={16} />
              </ActionIcon>
            </Tooltip>
          )}
          <Tooltip label="Download the picture">
            <ActionIcon
              variant="default"
              component="a"
              href={blobUrl(image.blob)}
              download={`${image.blob.slice(0, 12)}.${image.format}`}
              aria-label="Download the picture"
            >
              <IconDownload size={16} />
            </ActionIcon>
          </Tooltip>
        </Group>
        <span className={classes.size}>
          {image.width} × {image.height} {image.format}
        </span>
      </div>
      {layers.length > 0 && (
        <Stack gap="sm" className={classes.side}>
          <Stack gap={6}>
            {layers.map(({ label, overlay: { items: found } }) => (
              <Checkbox
                key={label}
                size="xs"
                label={`${label} (${formatCount(found.length)})`}
                checked={isOn(label)}
                onChange={() => setSwitched(new Map(switched).set(label, !isOn(label)))}
              />
            ))}
          </Stack>
          <ClassChips items={all} hidden={hidden} onToggle={name => setHidden(toggled(hidden, name))} />
          <div>
            <Text size="xs" c="dimmed" mb={2} id="least-confidence">
              Confidence from {least.toFixed(2)}
            </Text>
            <Slider
              size="sm"
              min={0}
              max={1}
              step={0.01}
              value={least}
              onChange={setLeast}
              label={null}
              thumbProps={{ 'aria-labelledby': 'least-confidence' }}
            />
          </div>
          <ol className={classes.list} aria-label="What was found">
            {items.slice(0, 200).map((item, index) => (
              <li
                key={item.detection_id || index}
                data-active={active === item || undefined}
                onPointerEnter={() => setActive(item)}
                onPointerLeave={() => setActive(null)}
              >
                <span>{item.class_name}</span>
                <span className="numbers">{item.confidence?.toFixed(3)}</span>
              </li>
            ))}
          </ol>
        </Stack>
      )}
    </div>
  );
}

function toggled(set: ReadonlySet<string>, name: string): ReadonlySet<string> {
  const next = new Set(set);
  if (!next.delete(name)) next.add(name);
  return next;
}
