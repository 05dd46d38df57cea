import { useDebouncedValue } from '@mantine/hooks';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { workflowQuery, workflowsPage } from '~/api/queries';
import type { WorkflowSummary } from '~/api/types';

interface Offers {
  /** Name of the workflow that is chosen; none while it is not known, and for one that is not there. */
  name: string | undefined;
  /** Those whose name contains what is typed, newest first. */
  found: WorkflowSummary[];
}

/**
 * Saved workflows for a field to choose from, asked for by their name: there may be any number. `label` makes what stands in the
 * field while nobody types.
 */
export function useWorkflowOffers(
  id: string | null,
  search: string,
  label: (name?: string) => string,
): Offers {
  const chosen = useQuery({ ...workflowQuery(id ?? ''), enabled: id !== null, retry: false });
  const name = chosen.data?.name;
  const typed = id !== null && search === label(name) ? '' : search.trim();
  const [wanted] = useDebouncedValue(typed, 200);
  const found = useQuery({
    queryKey: ['workflows', 'named', wanted],
    queryFn: ({ signal }) => workflowsPage(wanted, null, signal),
    placeholderData: keepPreviousData,
  });
  return { name, found: found.data?.rows ?? [] };
}
