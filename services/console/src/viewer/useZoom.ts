import {
  useCallback,
  useEffect,
  useRef,
  useState,
  type CSSProperties,
  type KeyboardEvent,
  type PointerEvent,
} from 'react';
import { movedBy, pinched, WHOLE, zoomedAt, type Place } from './view';

/** Of a press of a key or a button. */
const STEP = 1.5;
const MOVE_PX = 60;
const MOVES: Readonly<Record<string, Place>> = {
  ArrowLeft: { x: MOVE_PX, y: 0 },
  ArrowRight: { x: -MOVE_PX, y: 0 },
  ArrowUp: { x: 0, y: MOVE_PX },
  ArrowDown: { x: 0, y: -MOVE_PX },
};
const MIDDLE: Place = { x: 0, y: 0 };

/**
 * A wheel, two fingers, keys and buttons zoom; a pointer or the arrows move what is zoomed. One finger on the whole picture scrolls the
 * page. `scale` is picture pixels per screen pixel.
 */
export function useZoom(pictureWidth: number) {
  const frame = useRef<HTMLDivElement>(null);
  const [view, setView] = useState(WHOLE);
  const [shownWidth, setShownWidth] = useState(pictureWidth);
  /** Where the pointers are that are down, by their ids. */
  const down = useRef(new Map<number, Place>());
  const zoom = useCallback((factor: number, at = MIDDLE) => setView(now => zoomedAt(now, factor, at)), []);
  useEffect(() => {
    const element = frame.current;
    const stage = element?.firstElementChild;
    if (!element || !stage) return;
    const observer = new ResizeObserver(() =>
      setShownWidth((stage as HTMLElement).offsetWidth || pictureWidth),
    );
    observer.observe(stage);
    const onWheel = (event: WheelEvent): void => {
      event.preventDefault();
      zoom(Math.exp(-event.deltaY / 400), placeIn(element, event));
    };
    const onTouch = (event: TouchEvent): void => {
      if (event.touches.length > 1) event.preventDefault();
    };
    // React listens to these passively, and then the page would scroll too.
    element.addEventListener('wheel', onWheel, { passive: false });
    element.addEventListener('touchstart', onTouch, { passive: false });
    element.addEventListener('touchmove', onTouch, { passive: false });
    return () => {
      observer.disconnect();
      element.removeEventListener('wheel', onWheel);
      element.removeEventListener('touchstart', onTouch);
      element.removeEventListener('touchmove', onTouch);
    };
  }, [pictureWidth, zoom]);
  const onPointerDown = useCallback((event: PointerEvent) => {
    // A button above the picture is pressed, and nothing dragged.
    if (event.button !== 0 || (event.target as Element).closest('a, button')) return;
    event.currentTarget.setPointerCapture(event.pointerId);
    down.current.set(event.pointerId, placeIn(event.currentTarget, event));
  }, []);
  const onPointerMove = useCallback((event: PointerEvent) => {
    const before = down.current.get(event.pointerId);
    if (!before) return;
    const after = placeIn(event.currentTarget, event);
    down.current.set(event.pointerId, after);
    const other = [...down.current].find(([id]) => id !== event.pointerId)?.[1];
    setView(now =>
      other
        ? pinched(now, [before, other], [after, other])
        : movedBy(now, { x: after.x - before.x, y: after.y - before.y }),
    );
  }, []);
  const onPointerEnd = useCallback((event: PointerEvent) => void down.current.delete(event.pointerId), []);
  const reset = useCallback(() => setView(WHOLE), []);
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target !== event.currentTarget) return;
    const move = MOVES[event.key];
    if (event.key === '+' || event.key === '=') zoom(STEP);
    else if (event.key === '-') zoom(1 / STEP);
    else if (event.key === '0') reset();
    else if (move && view.zoom > 1) setView(now => movedBy(now, move));
    else return;
    event.preventDefault();
    // Neither the page's shortcuts nor its scrolling are meant.
    event.stopPropagation();
  };
  const style: CSSProperties = { transform: `translate(${view.x}px, ${view.y}px) scale(${view.zoom})` };
  return {
    frame,
    style,
    scale: pictureWidth / (shownWidth * view.zoom),
    zoomed: view.zoom > 1,
    zoomIn: () => zoom(STEP),
    zoomOut: () => zoom(1 / STEP),
    reset,
    handlers: {
      onPointerDown,
      onPointerMove,
      onPointerUp: onPointerEnd,
      onPointerCancel: onPointerEnd,
      onLostPointerCapture: onPointerEnd,
      onKeyDown,
    },
  };
}

/** Where it happened, from the middle of `element`. */
function placeIn(element: Element, { clientX, clientY }: { clientX: number; clientY: number }): Place {
  const box = element.getBoundingClientRect();
  return { x: clientX - box.left - box.width / 2, y: clientY - box.top - box.height / 2 };
}
