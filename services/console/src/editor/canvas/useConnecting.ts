import {
  useReactFlow,
  type Connection,
  type Edge,
  type OnConnectEnd,
  type OnConnectStartParams,
} from '@xyflow/react';
import { useCallback, useRef, useState } from 'react';
import type { Definition } from '~/api/types';
import { fits } from '~/graph/kinds';
import { closesCircle } from '../document/circles';
import type { Position } from '~/graph/places';
import { connect, inputName, nodeById, rewire } from '../document/edit';
import { useEditorStore, type EditorState, type OpenWire } from '../store';
import { FURTHER, placeOf, portOf } from './handles';
import { endOf, type Wire } from './useWires';

/** A wire that was let go over the empty canvas: a block is wanted there. */
export interface QuickAddRequest {
  screen: Position;
  canvas: Position;
  wire: OpenWire;
  handle: string;
}

/** Drawing wires: only between ends that fit, never in a circle; let go on the canvas, a fitting block is offered. */
export function useConnecting() {
  const store = useEditorStore();
  const flow = useReactFlow();
  const [open, setOpen] = useState<QuickAddRequest | null>(null);
  const isValidConnection = useCallback(
    (one: Connection | Edge) => mayConnect(store.getState(), one),
    [store],
  );
  const onConnectStart = useCallback(
    (_: unknown, from: OnConnectStartParams) => {
      const state = store.getState();
      const kinds = kindsAt(state, from.nodeId, from.handleId);
      if (from.nodeId && kinds) state.setWire({ node: from.nodeId, end: from.handleType ?? 'source', kinds });
    },
    [store],
  );
  const onConnect = useCallback(
    (one: Connection) => {
      const [port, place] = [portOf(one.sourceHandle), placeOf(one.targetHandle)];
      if (port && place)
        store.getState().change(before => wireUp(before, one.source, port, one.target, place));
    },
    [store],
  );
  // While a wire is moved: let go on the empty canvas it stays where it was.
  const moving = useRef(false);
  const onReconnectStart = useCallback(() => {
    moving.current = true;
  }, []);
  const onReconnectEnd = useCallback(() => {
    moving.current = false;
  }, []);
  const onReconnect = useCallback(
    (wire: Wire, one: Connection) => {
      const [port, place, old] = [portOf(one.sourceHandle), placeOf(one.targetHandle), endOf(wire)];
      if (!port || !place || !old) return;
      store.getState().change(before => {
        const to = { node: one.target, place: namedPlace(before, one.source, port, one.target, place) };
        return rewire(before, old, { node: one.source, port }, to);
      });
    },
    [store],
  );
  const onConnectEnd = useCallback<OnConnectEnd>(
    (event, state) => {
      const { wire, setWire } = store.getState();
      setWire(null);
      if (moving.current || state.isValid || state.toHandle || !wire || !state.fromHandle?.id) return;
      const point = 'changedTouches' in event ? event.changedTouches[0] : event;
      if (!point) return;
      const { x, y } = flow.screenToFlowPosition({ x: point.clientX, y: point.clientY });
      setOpen({ screen: [point.clientX, point.clientY], canvas: [x, y], wire, handle: state.fromHandle.id });
    },
    [store, flow],
  );
  return {
    handlers: {
      isValidConnection,
      onConnectStart,
      onConnect,
      onConnectEnd,
      onReconnectStart,
      onReconnect,
      onReconnectEnd,
    },
    open,
    close: () => setOpen(null),
  };
}

/** Wires a port to a place; the place of a further input gets a name first. */
export function wireUp(
  definition: Definition,
  source: string,
  port: string,
  target: string,
  place: readonly string[],
): Definition {
  const named = namedPlace(definition, source, port, target, place);
  return connect(definition, { node: source, port }, { node: target, place: named });
}

/** The place, or that of a new further input, named by what comes in. */
function namedPlace(
  definition: Definition,
  source: string,
  port: string,
  target: string,
  place: readonly string[],
): readonly string[] {
  const node = nodeById(definition, target);
  const isFurther = node && `in:${place.join('/')}` === FURTHER;
  return isFurther ? ['inputs', inputName(node, { node: source, port })] : place;
}

/** The kinds that an end of a wire gives or takes. */
export function kindsAt(
  state: EditorState,
  node: string | null,
  handle: string | null | undefined,
): string[] | null {
  const ports = node ? state.ports.get(node) : undefined;
  if (!ports) return null;
  const port = portOf(handle);
  if (port !== null) {
    const found = ports.outputs.find(output => output.name === port);
    return found ? [found.kind] : null;
  }
  const place = placeOf(handle);
  if (!place) return null;
  if (handle === FURTHER || place[0] === 'config') return ['any'];
  return ports.inputs.find(input => input.name === place[1])?.kinds ?? null;
}

function mayConnect(state: EditorState, one: Connection | Edge): boolean {
  const have = kindsAt(state, one.source, one.sourceHandle);
  const wanted = kindsAt(state, one.target, one.targetHandle);
  if (!have || !wanted) return false;
  const suits = have.some(kind => wanted.some(want => fits(kind, want)));
  return suits && !closesCircle(state.edges, one.source, one.target);
}
