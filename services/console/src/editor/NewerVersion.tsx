import { Button } from '@mantine/core';
import { useReactFlow } from '@xyflow/react';
import { IconGitBranch } from '@tabler/icons-react';
import { useCallback, useEffect } from 'react';
import { Link } from 'react-router';
import type { WorkflowRecord } from '~/api/types';
import classes from './NewerVersion.module.css';
import { isDirty, useEditor, useEditorStore } from './store';
import type { Save } from './useSave';

interface Props {
  /** As it was last read. */
  record: WorkflowRecord;
  /** What is being saved comes back as a newer version too. */
  save: Save;
}

/** Goes over to a version that was saved elsewhere; where that would take unsaved work away, it says so and waits. */
export function NewerVersion({ record, save }: Props) {
  const store = useEditorStore();
  const flow = useReactFlow();
  const base = useEditor(state => state.base);
  const dirty = useEditor(isDirty);
  const isNewer = base !== null && record.version > base && !save.pending;
  const load = useCallback(() => {
    store.getState().load(record);
    requestAnimationFrame(() => void flow.fitView({ padding: 0.12, maxZoom: 1 }));
  }, [store, flow, record]);
  useEffect(() => {
    if (isNewer && !dirty) load();
  }, [isNewer, dirty, load]);
  if (!isNewer || !dirty) return null;
  const keepMine = (): void => {
    // Theirs has been told of: it is the one that is replaced, and stays among the versions.
    store.getState().markSaved(record);
    save.run();
  };
  return (
    <div role="status" className={classes.notice}>
      <IconGitBranch size={16} aria-hidden />
      <span>
        Version {record.version} was saved meanwhile; your changes began with version {base}.
      </span>
      <span className={classes.actions}>
        <Button
          size="compact-xs"
          variant="default"
          component={Link}
          to={`/workflows/${record.id}/versions?from=${base}&to=${record.version}`}
          target="_blank"
        >
          See what changed
        </Button>
        <Button size="compact-xs" variant="default" onClick={load} title="Undo brings yours back">
          Load it instead of mine
        </Button>
        <Button
          size="compact-xs"
          variant="default"
          onClick={keepMine}
          title="The other one stays among the versions"
        >
          Save mine as the newest
        </Button>
      </span>
    </div>
  );
}
