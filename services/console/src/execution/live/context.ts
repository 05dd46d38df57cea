import { createContext, useContext } from 'react';
import { useStore } from 'zustand';
import type { LiveRun, LiveStore } from './store';

export const LiveContext = createContext<LiveStore | null>(null);

/** A part of the run being watched; renders again only when that part changes. */
export function useLive<T>(select: (live: LiveRun) => T): T {
  const store = useContext(LiveContext);
  if (!store) throw new Error('useLive is used outside the page of a run');
  return useStore(store, select);
}
