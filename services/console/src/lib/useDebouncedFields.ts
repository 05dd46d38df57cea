import { useDebouncedValue } from '@mantine/hooks';
import { useMemo } from 'react';

/** Fields once they have stood still for `wait` ms. By what is in them: they may be put together anew at every render. */
export function useDebouncedFields<T extends Record<string, string | undefined>>(fields: T, wait: number): T {
  const [text] = useDebouncedValue(JSON.stringify(fields), wait);
  return useMemo(() => JSON.parse(text) as T, [text]);
}
