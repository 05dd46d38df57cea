import { useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import { versionQuery, workflowQuery } from '~/api/queries';
import type { InputSpec, NodeDefinition, WorkflowRecord } from '~/api/types';
import { isInputNode } from '~/graph/selectors';
import { inputsQuery, takesList } from '../inputsOf';

export interface InputNode {
  node: NodeDefinition;
  /** Whether it takes several. */
  isList: boolean;
}

interface InputNodes {
  /** None while they are not known. */
  inputs: InputNode[] | undefined;
  error: Error | null;
  refetch(): void;
}

/** The inputs of what a schedule runs: of that version, or of the newest. */
export function useInputNodes(workflow: string, version: number | null): InputNodes {
  const newest = useQuery({ ...workflowQuery(workflow), enabled: version === null });
  const pinned = useQuery({ ...versionQuery(workflow, version ?? 0), enabled: version !== null });
  const { data, error, refetch } = version === null ? newest : pinned;
  const specs = useQuery({ ...inputsQuery(data ?? NONE), enabled: data !== undefined });
  const inputs = useMemo(
    () => (data && !specs.isPending ? inputsOf(data, specs.data) : undefined),
    [data, specs.isPending, specs.data],
  );
  return { inputs, error, refetch: () => void refetch() };
}

/** What stands in where nothing is asked. */
const NONE = { id: '', version: 0 } as WorkflowRecord;

function inputsOf({ definition }: WorkflowRecord, specs: readonly InputSpec[] | undefined): InputNode[] {
  return definition.nodes.filter(isInputNode).map(node => ({ node, isList: takesList(node, specs) }));
}
