import { Button } from '@mantine/core';
import { IconPencil } from '@tabler/icons-react';
import { Link, useLocation, useNavigate } from 'react-router';
import type { Definition } from '~/api/types';
import { originIn, readyAt } from '~/run/origin';
import { NEW_WORKFLOW, startWith } from '~/workflows/start';

interface Props {
  workflow: string | null | undefined;
  definition: Definition | undefined;
}

/** Opens what the run walked in the editor: the saved workflow, the one it was tried from, or a new one that starts with it. */
export function EditButton({ workflow, definition }: Props) {
  const navigate = useNavigate();
  const origin = originIn(useLocation().state);
  if (!workflow && !definition) return null;
  return (
    <Button
      component={Link}
      to={workflow ? `/workflows/${workflow}` : (origin?.address ?? NEW_WORKFLOW)}
      onClick={event => {
        if (workflow || !definition) return;
        if (origin) return readyAt(origin, definition);
        event.preventDefault();
        void navigate(startWith(definition));
      }}
      size="xs"
      variant="default"
      leftSection={<IconPencil size={15} />}
    >
      Edit
    </Button>
  );
}
