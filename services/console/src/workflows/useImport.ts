import { useCallback } from 'react';
import { useNavigate } from 'react-router';
import type { Definition } from '~/api/types';
import { areNodes } from '~/graph/selectors';
import { isObject } from '~/lib/json';
import { notifyProblem } from '~/ui/notify';
import { startWith } from './start';

/** Opens a workflow's JSON file in the editor, as a new workflow. */
export function useImport(): () => void {
  const navigate = useNavigate();
  return useCallback(() => {
    const input = document.createElement('input');
    input.type = 'file';
    input.accept = 'application/json,.json';
    input.onchange = async () => {
      const file = input.files?.[0];
      if (!file) return;
      try {
        await navigate(startWith(readDefinition(await file.text())));
      } catch (error) {
        notifyProblem(`${file.name} is not a workflow`, error);
      }
    };
    input.click();
  }, [navigate]);
}

/** A definition from text; what is wrong inside it the validator says. */
export function readDefinition(text: string): Definition {
  const value: unknown = JSON.parse(text);
  if (!isObject(value)) throw new Error('a workflow is a JSON object');
  const nodes: unknown = value.nodes ?? [];
  if (!areNodes(nodes)) throw new Error('"nodes" is a list of nodes, each with an id and a type');
  return { ...value, nodes } as unknown as Definition;
}
