import { Button, Skeleton, Stack } from '@mantine/core';
import { IconPlus, IconVectorTriangle } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { collectionsQuery } from '~/api/queries';
import { Needs } from '~/login/Needs';
import { EmptyState } from '~/ui/EmptyState';
import { Page } from '~/ui/Page';
import { ProblemNotice } from '~/ui/ProblemNotice';
import { CollectionsTable } from './CollectionsTable';
import { NewCollection } from './NewCollection';

/** What `similarity_search` looks in. */
export function Component() {
  const collections = useQuery(collectionsQuery());
  const [making, setMaking] = useState(false);
  const make = (
    <Needs scope="run">
      <Button leftSection={<IconPlus size={16} />} onClick={() => setMaking(true)}>
        New collection
      </Button>
    </Needs>
  );
  return (
    <Page title="Collections" actions={make}>
      <Stack>
        {collections.error && (
          <ProblemNotice error={collections.error} onRetry={() => void collections.refetch()} />
        )}
        {collections.isPending && <Skeleton height={160} radius="md" />}
        {collections.data?.length === 0 && (
          <EmptyState icon={IconVectorTriangle} title="No collection yet">
            A collection holds vectors that pictures or texts were embedded as; a workflow finds the nearest
            with similarity_search.
          </EmptyState>
        )}
        {collections.data && collections.data.length > 0 && <CollectionsTable rows={collections.data} />}
      </Stack>
      {making && <NewCollection onClose={() => setMaking(false)} />}
    </Page>
  );
}
