import { useEffect, useRef } from 'react';
import { useLocation, useNavigate } from 'react-router';
import { isObject } from '~/lib/json';
import { useAddress } from '~/lib/useAddress';

interface ShownNode {
  node: string | null;
  show(node: string | null): void;
}

/** The node whose panel is open. The first to be opened gets an entry in the history: “back” closes the panel, and not the run. */
export function useShownNode(): ShownNode {
  const { params, set, setParams } = useAddress();
  const { state: carried } = useLocation();
  const navigate = useNavigate();
  const state = isObject(carried) ? carried : {};
  const node = params.get('node');
  // One press asks more than once, and before the address has followed.
  const asked = useRef(node);
  useEffect(() => {
    asked.current = node;
  }, [node]);
  const show = (next: string | null): void => {
    const before = asked.current;
    if (next === before) return;
    asked.current = next;
    if (next !== null && before === null) {
      const opened = new URLSearchParams(params);
      opened.set('node', next);
      setParams(opened, { state: { ...state, opened: true } });
    } else if (next === null && state.opened === true) void navigate(-1);
    else set('node', next);
  };
  return { node, show };
}
