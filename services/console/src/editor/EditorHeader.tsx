import { ActionIcon, Button, Menu, TextInput, Tooltip } from '@mantine/core';
import {
  IconAdjustments,
  IconArrowBackUp,
  IconArrowForwardUp,
  IconBraces,
  IconCalendarClock,
  IconCode,
  IconDeviceFloppy,
  IconDots,
  IconDownload,
  IconGitBranch,
  IconHistory,
  IconPlayerPlay,
  IconSitemap,
} from '@tabler/icons-react';
import { useState } from 'react';
import { Link } from 'react-router';
import type { WorkflowRecord } from '~/api/types';
import { Needs } from '~/login/Needs';
import { useMay } from '~/login/who';
import { download } from '~/lib/download';
import { lazyPart } from '~/ui/lazyPart';
import classes from './EditorHeader.module.css';
import { nameOf } from './document/edit';
import { isDirty, useEditor, useEditorStore } from './store';
import { useLayout } from './useLayout';
import type { Save } from './useSave';
import { VerdictMark } from './VerdictMark';

const CallModal = lazyPart(
  () => import('~/workflows/calling/CallModal'),
  module => module.default,
);

interface Props {
  /** The saved workflow; a new one is none yet. */
  record: WorkflowRecord | null;
  save: Save;
  showJson: boolean;
  onJson(show: boolean): void;
  /** Shows the workflow's own settings, and all that is wrong with it. */
  onSettings(): void;
  onRun(): void;
}

export function EditorHeader({ record, save, showJson, onJson, onSettings, onRun }: Props) {
  const store = useEditorStore();
  const name = useEditor(state => nameOf(state.history.present));
  const canUndo = useEditor(state => state.history.past.length > 0);
  const canRedo = useEditor(state => state.history.future.length > 0);
  const dirty = useEditor(isDirty);
  const base = useEditor(state => state.base);
  const may = useMay('run');
  const { layOut, busy } = useLayout();
  const [calling, setCalling] = useState(false);
  const { change, undo, redo } = store.getState();
  return (
    <header className={classes.header}>
      <h1 className="visually-hidden">Workflow {name}</h1>
      <TextInput
        variant="unstyled"
        aria-label="Name of the workflow"
        placeholder="Name it"
        value={name}
        onChange={event => {
          const next = event.currentTarget.value;
          change(before => ({ ...before, name: next }), 'name');
        }}
        classNames={{ input: classes.name }}
      />
      {base !== null && <span className={classes.meta}>v{base}</span>}
      {dirty && (
        <span className={classes.meta} title="There are changes that were not saved">
          ● unsaved
        </span>
      )}
      {may === false && (
        <span className={classes.meta} title="Your key may look: changes stay in this page">
          read only
        </span>
      )}
      <VerdictMark onList={onSettings} />
      <span className={classes.actions}>
        <Tooltip label="Undo (Ctrl Z)">
          <ActionIcon disabled={!canUndo} onClick={undo} aria-label="Undo">
            <IconArrowBackUp size={17} />
          </ActionIcon>
        </Tooltip>
        <Tooltip label="Redo (Ctrl Shift Z)">
          <ActionIcon disabled={!canRedo} onClick={redo} aria-label="Redo">
            <IconArrowForwardUp size={17} />
          </ActionIcon>
        </Tooltip>
        <Tooltip label="Lay out (L)">
          <ActionIcon loading={busy} onClick={layOut} aria-label="Lay out">
            <IconSitemap size={17} />
          </ActionIcon>
        </Tooltip>
        <Tooltip label="JSON side by side">
          <ActionIcon
            variant={showJson ? 'light' : 'subtle'}
            color={showJson ? 'water' : 'gray'}
            onClick={() => onJson(!showJson)}
            aria-label="JSON side by side"
            aria-pressed={showJson}
          >
            <IconBraces size={17} />
          </ActionIcon>
        </Tooltip>
        <Menu position="bottom-end">
          <Menu.Target>
            <ActionIcon aria-label="More">
              <IconDots size={17} />
            </ActionIcon>
          </Menu.Target>
          <Menu.Dropdown>
            <Menu.Item leftSection={<IconAdjustments size={15} />} onClick={onSettings}>
              Workflow settings
            </Menu.Item>
            <Menu.Item
              leftSection={<IconDownload size={15} />}
              onClick={() => download(`${name || 'workflow'}.json`, store.getState().history.present)}
            >
              Export JSON
            </Menu.Item>
            {record && (
              <>
                <Menu.Item leftSection={<IconCode size={15} />} onClick={() => setCalling(true)}>
                  Call it from code
                </Menu.Item>
                <Menu.Item
                  component={Link}
                  to={`/workflows/${record.id}/versions`}
                  leftSection={<IconGitBranch size={15} />}
                >
                  Versions
                </Menu.Item>
                <Menu.Item
                  component={Link}
                  to={`/workflows/${record.id}/schedules`}
                  leftSection={<IconCalendarClock size={15} />}
                >
                  Schedules
                </Menu.Item>
                <Menu.Item
                  component={Link}
                  to={`/executions?workflow_id=${record.id}`}
                  leftSection={<IconHistory size={15} />}
                >
                  Its runs
                </Menu.Item>
              </>
            )}
          </Menu.Dropdown>
        </Menu>
        <Needs scope="run">
          <Button
            size="xs"
            variant="default"
            leftSection={<IconDeviceFloppy size={15} />}
            loading={save.pending}
            disabled={!dirty}
            onClick={save.run}
          >
            Save
          </Button>
        </Needs>
        <Button size="xs" leftSection={<IconPlayerPlay size={15} />} onClick={onRun}>
          Run
        </Button>
      </span>
      {calling && record && <CallModal record={record} onClose={() => setCalling(false)} />}
    </header>
  );
}
