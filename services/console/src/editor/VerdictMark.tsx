import { UnstyledButton } from '@mantine/core';
import { useReactFlow } from '@xyflow/react';
import { IconAlertTriangle, IconCircleCheck, IconLoader2, IconPlugConnectedX } from '@tabler/icons-react';
import { counted } from './counted';
import { useEditor, useEditorStore } from './store';
import classes from './VerdictMark.module.css';

interface Props {
  /** Shows all that was said, where not all of it is of nodes. */
  onList(): void;
}

/** What the server says of the workflow as it stands; a click goes to what was said, or to the first node of it. */
export function VerdictMark({ onList }: Props) {
  const store = useEditorStore();
  const flow = useReactFlow();
  const { state, count, warnings, of } = useEditor(editor => editor.verdict);
  const go = (): void => {
    const { faults, select } = store.getState();
    const first = faults.byNode.keys().next().value;
    if (first === undefined || faults.rest.length > 0) return onList();
    select([first]);
    void flow.fitView({ nodes: [{ id: first }], duration: 250, maxZoom: 1, padding: 0.6 });
  };
  const said = count > 0 ? 'invalid' : warnings > 0 ? 'warned' : 'valid';
  const shown = state === 'valid' || (state === 'checking' && of) ? said : state;
  return (
    <span
      role="status"
      aria-live="polite"
      className={classes.mark}
      data-state={shown}
      data-checking={state === 'checking' || undefined}
    >
      {(shown === 'valid' || shown === 'warned') && (
        <span className={classes.mark} data-state="valid">
          <IconCircleCheck size={15} aria-hidden /> valid
        </span>
      )}
      {(shown === 'invalid' || shown === 'warned') && (
        <UnstyledButton onClick={go} className={classes.mark} data-state={shown}>
          <IconAlertTriangle size={15} aria-hidden />{' '}
          {shown === 'invalid' ? counted(count, 'problem') : counted(warnings, 'warning')}
        </UnstyledButton>
      )}
      {shown === 'checking' && (
        <>
          <IconLoader2 size={15} aria-hidden /> checking
        </>
      )}
      {shown === 'unknown' && of && (
        <>
          <IconPlugConnectedX size={15} aria-hidden /> not checked
        </>
      )}
    </span>
  );
}
