import { Skeleton } from '@mantine/core';
import { lazyPart } from '~/ui/lazyPart';

/** A chart over time; the library comes when one is first shown. */
export const Chart = lazyPart(
  () => import('./TimeChart'),
  module => module.default,
  ({ height = 190 }) => <Skeleton height={height} />,
);
