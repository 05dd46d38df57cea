import { useEffect, useEffectEvent, type RefObject } from 'react';
import { isTyping } from '~/app/useGoShortcuts';
import { isAddress } from './inputs';

interface Takers {
  onFiles(files: File[]): void;
  onAddress(address: string): void;
}

/**
 * Pictures and addresses from the clipboard: those pasted inside `place`, and, where it is the `first` of its kind, those pasted
 * nowhere in particular. What is pasted into a field is the field's own.
 */
export function usePaste(place: RefObject<HTMLElement | null>, first: boolean, takers: Takers): void {
  const take = useEffectEvent((event: ClipboardEvent) => {
    const owner = event.target instanceof Element ? event.target.closest('[data-pictures]') : null;
    const isMeant = owner ? owner === place.current : first;
    if (!isMeant || isTyping(event.target) || !event.clipboardData) return;
    const files = [...event.clipboardData.files];
    const text = event.clipboardData.getData('text/plain').trim();
    if (files.length > 0) takers.onFiles(files);
    else if (isAddress(text)) takers.onAddress(text);
    else return;
    event.preventDefault();
  });
  useEffect(() => {
    const onPaste = (event: ClipboardEvent): void => take(event);
    window.addEventListener('paste', onPaste);
    return () => window.removeEventListener('paste', onPaste);
  }, []);
}
