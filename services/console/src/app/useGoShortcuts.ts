import { useEffect } from 'react';
import { useNavigate } from 'react-router';
import { PLACES } from './navigation';

const PATIENCE_MS = 1_200;

/** Whether a key pressed on `target` is typing rather than a command. */
export function isTyping(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement &&
    (target.isContentEditable ||
      /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName) ||
      target.closest('.cm-editor') !== null)
  );
}

/** `g` and a letter go to a page: `g w` to the workflows. */
export function useGoShortcuts(): void {
  const navigate = useNavigate();
  useEffect(() => {
    let since = 0;
    const onKey = (event: KeyboardEvent): void => {
      if (isTyping(event.target) || event.metaKey || event.ctrlKey || event.altKey) return;
      if (event.key === 'g') {
        since = Date.now();
        return;
      }
      const place = PLACES.find(({ shortcut }) => shortcut === event.key);
      if (place && Date.now() - since < PATIENCE_MS) {
        event.preventDefault();
        void navigate(place.to);
      }
      since = 0;
    };
    window.addEventListener('keydown', onKey);
    return () => window.removeEventListener('keydown', onKey);
  }, [navigate]);
}
