import { useQueryClient } from '@tanstack/react-query';
import { useCallback } from 'react';
import { modelsQuery } from '~/api/queries';
import type { Definition, JsonObject, Model } from '~/api/types';
import type { Position } from '~/graph/places';
import { addNode } from '../document/edit';
import { useEditorStore } from '../store';
import { modelsFor } from '../form/models';

/** What a dragged block carries. */
export const BLOCK_DRAG = 'application/x-millrace-block';

/** Changes the definition once more for the node that was just added: both are one step of undo. */
type Further = (definition: Definition, id: string) => Definition;

export type AddBlock = (type: string, position: Position, further?: Further) => string | null;

/** Puts a block on the canvas and selects it. A model block gets the only model that suits it, where there is one. */
export function useAddBlock(): AddBlock {
  const store = useEditorStore();
  const queries = useQueryClient();
  return useCallback(
    (type, position, further) => {
      const { catalogue, change, select } = store.getState();
      const block = catalogue.get(type);
      if (!block) return null;
      const models = modelsFor(block.type, queries.getQueryData<Model[]>(modelsQuery().queryKey) ?? []);
      const config: JsonObject = {};
      if (block.runs.model && models.length === 1 && models[0]) config.model_id = models[0].model_id;
      if (block.type === 'parameter_input') config.kind = 'float';
      let id = '';
      change(before => {
        const added = addNode(before, block, position, config);
        id = added.id;
        return further ? further(added.definition, id) : added.definition;
      });
      select([id]);
      return id;
    },
    [store, queries],
  );
}
