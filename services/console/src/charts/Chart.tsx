import { Skeleton } from '@mantine/core';
import { lazy, Suspense } from 'react';
import type { ChartProps } from './TimeChart';

const TimeChart = lazy(() => import('./TimeChart'));

/** A chart over time; the library comes when one is first shown. */
export function Chart(props: ChartProps) {
  return (
    <Suspense fallback={<Skeleton height={props.height ?? 190} />}>
      <TimeChart {...props} />
    </Suspense>
  );
}
