/** Who calls, as the server says: the session's cookie itself is out of a page's sight. */
import { queryOptions, useQuery } from '@tanstack/react-query';
import { request } from '~/api/request';
import type { Scope, WhoAmI } from '~/api/types';

/** Each scope includes those before it. */
const SCOPES: Scope[] = ['read', 'run', 'admin'];

const whoQuery = () =>
  queryOptions({
    queryKey: ['session'],
    queryFn: ({ signal }) => request<WhoAmI>('/session', { signal }),
    staleTime: 60_000,
  });

/** The caller; undefined until the server has said. */
export function useWho(): WhoAmI | undefined {
  return useQuery(whoQuery()).data;
}

/** Whether the caller may do what asks for `scope`; undefined until the server has said. */
export function useMay(scope: Scope): boolean | undefined {
  const who = useWho();
  return who && SCOPES.indexOf(who.scope) >= SCOPES.indexOf(scope);
}
