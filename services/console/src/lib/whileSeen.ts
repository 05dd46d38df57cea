/**
 * For what holds a connection to the server for as long as it is watched. A browser has six of them for one server (HTTP/1.1), over
 * all its tabs: those that nobody sees must not keep the others waiting.
 */

/** So long a page may be hidden before what it watches is closed: a glance at another tab costs nothing. */
export const HIDDEN_MS = 5_000;

interface Watched {
  open(): void;
  close(): void;
}

/** Opens it while the page is seen, and closes it some seconds after it was hidden; until the function that is returned is called. */
export function whileSeen({ open, close }: Watched): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let isOpen = false;
  const change = (): void => {
    clearTimeout(timer);
    if (!document.hidden && !isOpen) {
      isOpen = true;
      open();
    } else if (document.hidden && isOpen) {
      timer = setTimeout(() => {
        isOpen = false;
        close();
      }, HIDDEN_MS);
    }
  };
  document.addEventListener('visibilitychange', change);
  change();
  return () => {
    clearTimeout(timer);
    document.removeEventListener('visibilitychange', change);
  };
}
