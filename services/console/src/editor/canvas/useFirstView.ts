import { getViewportForBounds, useReactFlow, useStore, type Rect, type Viewport } from '@xyflow/react';
import { useEffect, useRef } from 'react';
import { useEditorStore } from '../store';
import { besideSettings } from './intoView';

/** Below this no name on a node can be read. */
const LEGIBLE = 0.5;
/** What is left free on each side, as a part of the canvas's width. */
const MARGIN = 0.05;

/** Shows the workflow once there is one, and a canvas of some size to show it on; from then on the view is the user's. */
export function useFirstView(): void {
  const store = useEditorStore();
  const flow = useReactFlow();
  const { viewportInitialized } = flow;
  const width = useStore(state => state.width);
  const height = useStore(state => state.height);
  const some = useStore(state => state.nodes.length > 0);
  const shown = useRef(false);
  useEffect(() => {
    if (shown.current || !viewportInitialized || !some || width === 0 || height === 0) return;
    shown.current = true;
    const nodes = flow.getNodes();
    const first = nodes.reduce((a, b) => (b.position.x < a.position.x ? b : a));
    const canvas = { width, height };
    const room = store.getState().selection.size > 0 ? besideSettings(canvas) : canvas;
    const view = firstView(flow.getNodesBounds(nodes), flow.getNodesBounds([first]), room);
    void flow.setViewport(view);
  }, [store, flow, viewportInitialized, width, height, some]);
}

/** All of the workflow; where it could not be read then, its beginning: what is on the left, at the height of the `first` node. */
export function firstView(
  all: Rect,
  first: Rect,
  { width, height }: { width: number; height: number },
): Viewport {
  const margin = Math.round(width * MARGIN);
  const view = getViewportForBounds(all, width, height, LEGIBLE, 1, `${margin}px`);
  const isWide = all.width * view.zoom > width - margin;
  const isTall = all.height * view.zoom > height - margin;
  return {
    zoom: view.zoom,
    x: isWide ? margin - all.x * view.zoom : view.x,
    y: isTall ? height / 2 - (first.y + first.height / 2) * view.zoom : view.y,
  };
}
