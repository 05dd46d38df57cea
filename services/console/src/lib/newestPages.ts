/** Lists that go on by themselves, newest first, and can be read on towards their beginning. */
import type { InfiniteData, Query, QueryClient, QueryKey } from '@tanstack/react-query';

type Pages = Pick<Query<unknown, Error, unknown>, 'state'>;

function hasOlder({ state }: Pages): boolean {
  return ((state.data as InfiniteData<unknown> | undefined)?.pages.length ?? 0) > 1;
}

/**
 * Reads the list anew every `ms` while it shows its newest page alone. With older ones it stands still: each page would have to be
 * read anew, for the next begins where the one before ends.
 */
export function goesOn(ms: number) {
  return {
    refetchInterval: (query: Pages) => (hasOlder(query) ? false : ms),
    refetchOnWindowFocus: (query: Pages) => !hasOlder(query),
    refetchOnReconnect: (query: Pages) => !hasOlder(query),
    refetchOnMount: (query: Pages) => !hasOlder(query),
  } as const;
}

/** Leaves the older pages out, so that the list goes on. */
export async function backToNewest(queries: QueryClient, queryKey: QueryKey): Promise<void> {
  queries.setQueryData<InfiniteData<unknown>>(
    queryKey,
    list => list && { pages: list.pages.slice(0, 1), pageParams: list.pageParams.slice(0, 1) },
  );
  await queries.invalidateQueries({ queryKey, exact: true });
}
