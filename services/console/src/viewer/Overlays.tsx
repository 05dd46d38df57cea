import { useEffect, useRef } from 'react';
import type { Detection } from '~/lib/values';
import { classColour, classInk, classRgb } from './colour';
import { paintMask } from './rle';
import classes from './ImageViewer.module.css';

const MASK_ALPHA = 120;

interface Props {
  items: readonly Detection[];
  width: number;
  height: number;
  /** Picture pixels per screen pixel: lines and letters keep their size on the screen. */
  scale: number;
  active: Detection | null;
  onActive(item: Detection | null): void;
}

/** Boxes with their labels. */
export function Boxes({ items, width, height, scale, active, onActive }: Props) {
  const font = 12 * scale;
  return (
    <svg className={classes.layer} viewBox={`0 0 ${width} ${height}`} aria-hidden>
      {items.map((item, index) => {
        const [x1, y1, x2, y2] = item.bbox;
        const colour = classColour(item);
        const label = `${item.class_name}${item.confidence === undefined ? '' : ` ${item.confidence.toFixed(2)}`}`;
        const chip = { width: label.length * font * 0.62 + font * 0.7, height: font * 1.5 };
        const top = y1 >= chip.height ? y1 - chip.height : y1;
        const left = Math.max(0, Math.min(x1, width - chip.width));
        return (
          <g
            key={item.detection_id || index}
            className={classes.box}
            data-dim={(active !== null && active !== item) || undefined}
            onPointerEnter={() => onActive(item)}
            onPointerLeave={() => onActive(null)}
          >
            <rect
              x={x1}
              y={y1}
              width={Math.max(0, x2 - x1)}
              height={Math.max(0, y2 - y1)}
              fill={colour}
              fillOpacity={active === item ? 0.22 : 0.05}
              stroke={colour}
              strokeWidth={2 * scale}
              rx={2 * scale}
            />
            <rect x={left} y={top} width={chip.width} height={chip.height} fill={colour} rx={3 * scale} />
            <text
              x={left + font * 0.35}
              y={top + font * 1.08}
              fontSize={font}
              fill={classInk(item)}
              className={classes.label}
            >
              {label}
            </text>
            {item.keypoints?.map(([x, y], point) => (
              <circle key={point} cx={x} cy={y} r={3 * scale} fill={colour} />
            ))}
          </g>
        );
      })}
    </svg>
  );
}

/** Masks, largest first so that small ones stay in sight. */
export function Masks({ items, width, height }: Pick<Props, 'items' | 'width' | 'height'>) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    const context = canvas.current?.getContext('2d');
    if (!context) return;
    const pixels = context.createImageData(width, height);
    const area = (item: Detection) => (item.bbox[2] - item.bbox[0]) * (item.bbox[3] - item.bbox[1]);
    for (const item of items.toSorted((a, b) => area(b) - area(a))) {
      if (item.mask && item.mask.size[0] === height && item.mask.size[1] === width) {
        paintMask(pixels.data, item.mask, classRgb(item), MASK_ALPHA);
      }
    }
    context.putImageData(pixels, 0, 0);
  }, [items, width, height]);
  return <canvas ref={canvas} width={width} height={height} className={classes.layer} aria-hidden />;
}
