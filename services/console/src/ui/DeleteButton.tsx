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
}

/** Deletes something, once that is confirmed. */
export function DeleteButton({ name, path, question, done, list }: Props) {
  const queries = useQueryClient();
  const remove = useMutation({
    mutationFn: () => request(path, { method: 'DELETE' }),
    onSuccess: () => {
      notifyDone(done);
      return queries.invalidateQueries({ queryKey: list });
    },
    onError: error => notifyProblem('It was not deleted', error),
  });
  return (
    <Tooltip label="Delete">
      <ActionIcon
        aria-label={`Delete ${name}`}
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
