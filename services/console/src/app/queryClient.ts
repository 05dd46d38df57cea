import { QueryClient } from '@tanstack/react-query';
import { ProblemError } from '~/api/request';

const MOST_RETRIES = 3;

/** Only what may go better the next time is asked again. */
function mayRetry(failures: number, error: unknown): boolean {
  return failures < MOST_RETRIES && error instanceof ProblemError && error.problem.retryable;
}

/** A browser that thinks itself offline may still reach a server on its own machine: requests are sent, and fail where they must. */
export const queryClient = new QueryClient({
  defaultOptions: {
    queries: { networkMode: 'always', staleTime: 3_000, retry: mayRetry, refetchOnWindowFocus: true },
    mutations: { networkMode: 'always', retry: false },
  },
});
