import { Button, Group } from '@mantine/core';
import { IconTopologyStar3 } from '@tabler/icons-react';
import { useSyncExternalStore } from 'react';
import { Link, useNavigate } from 'react-router';
import { EmptyState } from '~/ui/EmptyState';
import { dropDraft, readDraft } from '~/workflows/draft';
import { goOnWith } from '~/workflows/start';

/** Where a workflow was, or never has been. What was done to it and not saved is still there, and may become another one. */
export function NoWorkflow({ id }: { id: string }) {
  const navigate = useNavigate();
  // Asked again once this is drawn: the editor that this takes the place of writes its draft as it goes.
  const offers = useSyncExternalStore(stays, () => readDraft(id) !== null);
  const goOn = (): void => {
    const draft = readDraft(id);
    if (!draft) return;
    // First: a tab may have room for one of them only.
    dropDraft(id);
    void navigate(goOnWith(draft.definition), { replace: true });
  };
  return (
    <EmptyState
      icon={IconTopologyStar3}
      title="There is no such workflow"
      action={
        <Group justify="center">
          {offers && <Button onClick={goOn}>Open your changes as a new workflow</Button>}
          <Button component={Link} to="/workflows" variant={offers ? 'default' : undefined}>
            Workflows
          </Button>
        </Group>
      }
    >
      It may have been deleted. Its runs are kept, each with the definition it walked.
      {offers && ' What you had changed and not saved is kept as well.'}
    </EmptyState>
  );
}

/** Nobody else writes drafts while this is shown. */
const stays = () => () => {};
