import { Skeleton, Stack, TextInput } from '@mantine/core';
import { IconListDetails } from '@tabler/icons-react';
import { useInfiniteQuery } from '@tanstack/react-query';
import { changesPage } from '~/api/queries';
import { words } from '~/lib/format';
import { goesOn } from '~/lib/newestPages';
import { useAddress } from '~/lib/useAddress';
import { useAddressText } from '~/lib/useAddressText';
import { useMay } from '~/login/who';
import { EmptyState } from '~/ui/EmptyState';
import { OlderPages } from '~/ui/OlderPages';
import { Page } from '~/ui/Page';
import { ProblemNotice } from '~/ui/ProblemNotice';
import { ChangesTable } from './ChangesTable';

/** A blank at either end is on the way to the next word, or was pasted along. */
const ACTION = { read: words, write: (text: string) => text.trim().replaceAll(' ', '_') };
const TARGET = { read: (named: string) => named, write: (text: string) => text.trim() };

/** Who changed what. */
export function Component() {
  const may = useMay('admin');
  const { params } = useAddress();
  const [action, setAction] = useAddressText('action', ACTION);
  const [target, setTarget] = useAddressText('target', TARGET);
  const applied = { action: params.get('action') ?? '', target: params.get('target') ?? '' };
  const queryKey = ['changes', applied];
  const changes = useInfiniteQuery({
    queryKey,
    queryFn: ({ pageParam, signal }) => changesPage(applied, pageParam, signal),
    initialPageParam: null as string | null,
    getNextPageParam: page => page.next,
    ...goesOn(10_000),
    enabled: may === true,
  });
  const rows = changes.data?.pages.flatMap(page => page.rows) ?? [];
  const filtered = applied.action !== '' || applied.target !== '';
  return (
    <Page
      title="Changes"
      toolbar={
        may !== false && (
          <>
            <TextInput
              size="xs"
              aria-label="Action"
              placeholder="what, as in create key"
              value={action}
              onChange={event => setAction(event.currentTarget.value)}
              w={210}
            />
            <TextInput
              size="xs"
              aria-label="Address"
              placeholder="where, as in models/shapes"
              value={target}
              onChange={event => setTarget(event.currentTarget.value)}
              w={230}
            />
          </>
        )
      }
    >
      <Stack>
        {may === false && (
          <EmptyState icon={IconListDetails} title="Changes are the administrator’s">
            This page needs a key with the scope admin.
          </EmptyState>
        )}
        {changes.error && <ProblemNotice error={changes.error} onRetry={() => void changes.refetch()} />}
        {may !== false && changes.isPending && <Skeleton height={160} radius="md" />}
        {changes.isSuccess && rows.length === 0 && (
          <EmptyState
            icon={IconListDetails}
            title={filtered ? 'No change matches' : 'Nothing was changed yet'}
          >
            {filtered
              ? 'Actions and addresses are compared as a whole.'
              : 'Whatever is made, changed or deleted through the api is listed here, with the key that did it.'}
          </EmptyState>
        )}
        {rows.length > 0 && <ChangesTable rows={rows} />}
        <OlderPages label="Older changes" queryKey={queryKey} list={changes} />
      </Stack>
    </Page>
  );
}
