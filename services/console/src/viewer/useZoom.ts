import { useCallback, useEffect, useRef, useState, type CSSProperties, type PointerEvent } from 'react';

const MOST = 24;

interface View {
  zoom: number;
  x: number;
  y: number;
}

const WHOLE: View = { zoom: 1, x: 0, y: 0 };

/** Wheel to zoom at the pointer, drag to move. `scale` is picture pixels per screen pixel. */
export function useZoom(pictureWidth: number) {
  const frame = useRef<HTMLDivElement>(null);
  const [view, setView] = useState(WHOLE);
  const [shownWidth, setShownWidth] = useState(pictureWidth);
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
      const box = element.getBoundingClientRect();
      const [px, py] = [event.clientX - box.left - box.width / 2, event.clientY - box.top - box.height / 2];
      setView(({ zoom, x, y }) => {
        const next = Math.min(MOST, Math.max(1, zoom * Math.exp(-event.deltaY / 400)));
        if (next === 1) return WHOLE;
        const ratio = next / zoom;
        return { zoom: next, x: px - (px - x) * ratio, y: py - (py - y) * ratio };
      });
    };
    // React listens to wheels passively, and then the page would scroll too.
    element.addEventListener('wheel', onWheel, { passive: false });
    return () => {
      observer.disconnect();
      element.removeEventListener('wheel', onWheel);
    };
  }, [pictureWidth]);
  const onPointerDown = useCallback((event: PointerEvent) => {
    if (event.button === 0) event.currentTarget.setPointerCapture(event.pointerId);
  }, []);
  const onPointerMove = useCallback((event: PointerEvent) => {
    if (!event.currentTarget.hasPointerCapture(event.pointerId)) return;
    setView(before =>
      before.zoom === 1
        ? before
        : { ...before, x: before.x + event.movementX, y: before.y + event.movementY },
    );
  }, []);
  const style: CSSProperties = { transform: `translate(${view.x}px, ${view.y}px) scale(${view.zoom})` };
  return {
    frame,
    style,
    scale: pictureWidth / (shownWidth * view.zoom),
    zoomed: view.zoom > 1,
    reset: () => setView(WHOLE),
    handlers: { onPointerDown, onPointerMove },
  };
}
