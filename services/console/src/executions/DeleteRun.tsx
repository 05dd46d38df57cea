import { useQueryClient } from '@tanstack/react-query';
import { executionQuery } from '~/api/queries';
import type { ExecutionStatus } from '~/api/types';
import { isTerminal } from '~/execution/live/state';
import { shortId } from '~/lib/format';
import { Needs } from '~/login/Needs';
import { DeleteButton } from '~/ui/DeleteButton';

interface Props {
  id: string;
  status: ExecutionStatus;
  /** Called when it is gone. */
  onDone?: () => void;
  /** Beside buttons, rather than in a row. */
  framed?: boolean;
}

/** Takes a run out of the record. One that goes on has to be cancelled first. */
export function DeleteRun({ id, status, onDone, framed = false }: Props) {
  const queries = useQueryClient();
  if (!isTerminal(status)) return null;
  return (
    <Needs scope="run">
      <DeleteButton
        name={`the run ${shortId(id)}`}
        path={`/executions/${id}`}
        question={`Delete the run ${shortId(id)}? Its events, node runs and outputs go with it. It cannot be undone.`}
        done={`The run ${shortId(id)} is gone`}
        list={['executions']}
        onDone={() => {
          onDone?.();
          queries.removeQueries({ queryKey: executionQuery(id).queryKey });
        }}
        variant={framed ? 'default' : 'subtle'}
        size={framed ? 30 : 20}
      />
    </Needs>
  );
}
