/**
 * Where the page was scrolled to, kept for each entry of the browser's history: going back finds it again, a new page begins at its
 * top. What scrolls is an element; the router keeps the window's place only.
 */
import { useLayoutEffect, useRef, useState, type RefObject } from 'react';
import { useLocation, useNavigationType } from 'react-router';
import { keepInTab, readFromTab } from '~/lib/tabStorage';

const KEPT = 'scroll';
/** Entries that are kept over a reload. */
const MOST = 200;
/** A list that is read anew gets as long as this to become as long as it was. */
const PATIENCE_MS = 5_000;
/** By these a reader goes elsewhere, and is left there. */
const HANDS = ['wheel', 'touchmove', 'pointerdown', 'keydown'] as const;

export function useKeptScroll(scroller: RefObject<HTMLElement | null>): void {
  const { key, pathname } = useLocation();
  const how = useNavigationType();
  const [kept] = useState(() => new Map(readFromTab<[string, number][]>(KEPT)));
  const shown = useRef(pathname);
  useLayoutEffect(() => {
    const element = scroller.current;
    if (!element) return;
    // The first entry of every visit has the same key.
    const entry = `${key} ${pathname}`;
    const before = how === 'POP' ? kept.get(entry) : undefined;
    // What replaces an address, such as a filter, and what opens a panel on the page leaves it where it is.
    const wanted = before ?? (shown.current === pathname ? element.scrollTop : 0);
    shown.current = pathname;
    const settle = scrollTo(element, wanted);
    const note = (): void => void (settle.isDone() && kept.set(entry, element.scrollTop));
    kept.set(entry, wanted);
    const keep = (): void => {
      try {
        keepInTab(KEPT, [...kept].slice(-MOST));
      } catch {
        // No room is left: the places are lost with the page.
      }
    };
    element.addEventListener('scroll', note, { passive: true });
    window.addEventListener('pagehide', keep);
    return () => {
      settle.stop();
      element.removeEventListener('scroll', note);
      window.removeEventListener('pagehide', keep);
    };
  }, [scroller, kept, key, pathname, how]);
}

/** Scrolls to `wanted`, as soon as there is so much. */
function scrollTo(element: HTMLElement, wanted: number): { isDone(): boolean; stop(): void } {
  let done = false;
  const stop = (): void => {
    done = true;
    clearTimeout(timer);
    observer.disconnect();
    HANDS.forEach(hand => element.removeEventListener(hand, stop));
  };
  const go = (): void => {
    element.scrollTop = wanted;
    if (Math.abs(element.scrollTop - wanted) < 1) stop();
  };
  const observer = new MutationObserver(go);
  const timer = setTimeout(stop, PATIENCE_MS);
  observer.observe(element, { childList: true, subtree: true });
  HANDS.forEach(hand => element.addEventListener(hand, stop, { passive: true }));
  go();
  return { isDone: () => done, stop };
}
