import { Button } from '@mantine/core';
import { IconPencil } from '@tabler/icons-react';
import { Link, useNavigate } from 'react-router';
import type { Definition } from '~/api/types';
import { NEW_WORKFLOW, startWith } from '~/workflows/start';
import classes from './ExecutionHeader.module.css';

interface Props {
  workflow: string | null | undefined;
  definition: Definition | undefined;
}

/** Opens what the run walked in the editor: the saved workflow, or a new one that starts with it. */
export function EditButton({ workflow, definition }: Props) {
  const navigate = useNavigate();
  if (!workflow && !definition) return null;
  return (
    <Button
      component={Link}
      to={workflow ? `/workflows/${workflow}` : NEW_WORKFLOW}
      onClick={event => {
        if (workflow || !definition) return;
        event.preventDefault();
        void navigate(startWith(definition));
      }}
      size="xs"
      variant="default"
      leftSection={<IconPencil size={15} />}
      className={classes.optional}
    >
      Edit
    </Button>
  );
}
