import { useQueries } from '@tanstack/react-query';
import { useMemo } from 'react';
import { valueQuery } from '~/api/queries';
import type { Json } from '~/api/types';
import { asReference } from '~/lib/values';

/** Values with what was too large to travel fetched; undefined until it has come. */
export function useResolved(values: readonly (Json | undefined)[]): (Json | undefined)[] {
  const digests = values.map(value => asReference(value) ?? undefined);
  const distinct = [...new Set(digests.filter(digest => digest !== undefined))];
  const fetched = useQueries({
    queries: distinct.map(digest => valueQuery(digest)),
    combine: results => results.map(result => result.data),
  });
  return useMemo(
    () => values.map((value, index) => (digests[index] ? fetched[distinct.indexOf(digests[index])] : value)),
    // eslint-disable-next-line react-hooks/exhaustive-deps -- the digests follow from the values
    [values, fetched],
  );
}
