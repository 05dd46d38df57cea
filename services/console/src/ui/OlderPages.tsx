import { Anchor, Text } from '@mantine/core';
import { useQueryClient, type InfiniteData, type QueryKey } from '@tanstack/react-query';
import { backToNewest } from '~/lib/newestPages';
import { NextPage } from './NextPage';

interface Props {
  label: string;
  /** What the list is kept under. */
  queryKey: QueryKey;
  list: Parameters<typeof NextPage>[0]['list'] & { data: InfiniteData<unknown> | undefined };
}

/** The older part of a list that goes on by itself: while it is shown the list stands still, and says so. */
export function OlderPages({ label, queryKey, list }: Props) {
  const queries = useQueryClient();
  return (
    <>
      {(list.data?.pages.length ?? 0) > 1 && (
        <Text size="xs" c="dimmed" ta="center" role="status">
          With older ones shown the list stands still.{' '}
          <Anchor
            component="button"
            type="button"
            inherit
            onClick={() => void backToNewest(queries, queryKey)}
          >
            Back to the newest
          </Anchor>
        </Text>
      )}
      <NextPage label={label} list={list} />
    </>
  );
}
