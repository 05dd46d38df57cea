import { ActionIcon, Tooltip } from '@mantine/core';
import { IconTrash } from '@tabler/icons-react';
import { useMutation, useQueryClient, type QueryKey } from '@tanstack/react-query';
import { request } from '~/api/request';
import { notifyDone, notifyProblem } from './notify';

interface Props {
  name: string;
  /** Where it is, below the api's own address. */
  path: string;
  /** What is asked first. */
  question: string;
  /** What is said afterwards. */
  done: string;
  /** The list that it is taken from. */
  list: QueryKey;
  /** Called when it is gone. */
  onDone?: () => void;
  variant?: 'subtle' | 'default';
  size?: number;
}

/** Deletes something, once that is confirmed. */
export function DeleteButton({ name, path, question, done, list, onDone, variant, size }: Props) {
  const queries = useQueryClient();
  const remove = useMutation({
    mutationFn: () => request(path, { method: 'DELETE' }),
    onSuccess: () => {
      notifyDone(done);
      onDone?.();
      return queries.invalidateQueries({ queryKey: list });
    },
    onError: error => notifyProblem('It was not deleted', error),
  });
  return (
    <Tooltip label="Delete">
      <ActionIcon
        aria-label={`Delete ${name}`}
        variant={variant}
        size={size}
        loading={remove.isPending}
        onClick={() => {
          if (window.confirm(question)) remove.mutate();
        }}
      >
        <IconTrash size={15} />
      </ActionIcon>
    </Tooltip>
  );
}
