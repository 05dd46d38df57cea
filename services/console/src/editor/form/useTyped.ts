import { useContext, useEffect, useEffectEvent, useState } from 'react';
import { EditorContext } from '../store';

interface Typed {
  /** What the field shows. */
  text: string;
  type(text: string): void;
  /** Takes over what was typed, or `text` in its place. */
  commit(text?: string): void;
  /** Goes back to what the document says. */
  forget(): void;
}

/**
 * A field that keeps what is typed until it is left: half a number read as a number, and shown again, is another one. A save
 * takes it over first.
 */
export function useTyped(shown: string, take: (text: string) => void): Typed {
  // A field of the inputs of a schedule has no editor around it, and nothing that saves in its stead.
  const store = useContext(EditorContext);
  const [typed, setTyped] = useState<string | null>(null);
  const commit = (text = typed): void => {
    setTyped(null);
    if (text !== null && text !== shown) take(text);
  };
  const settle = useEffectEvent(() => commit());
  useEffect(() => store?.getState().onSettle(() => settle()), [store]);
  return { text: typed ?? shown, type: setTyped, commit, forget: () => setTyped(null) };
}
