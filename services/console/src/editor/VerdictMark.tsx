import { UnstyledButton } from '@mantine/core';
import { useReactFlow } from '@xyflow/react';
import { IconAlertTriangle, IconCircleCheck, IconLoader2, IconPlugConnectedX } from '@tabler/icons-react';
import { useEditor, useEditorStore } from './store';
import classes from './VerdictMark.module.css';

/** What the server says of the workflow as it stands; a click goes to the first mistake. */
export function VerdictMark() {
  const store = useEditorStore();
  const flow = useReactFlow();
  const { state, count, of } = useEditor(editor => editor.verdict);
  const go = (): void => {
    const first = store.getState().faults.byNode.keys().next().value;
    store.getState().select(first ? [first] : []);
    if (first) void flow.fitView({ nodes: [{ id: first }], duration: 250, maxZoom: 1, padding: 0.6 });
  };
  const shown = state === 'checking' && of ? (count > 0 ? 'invalid' : 'valid') : state;
  return (
    <span
      role="status"
      aria-live="polite"
      className={classes.mark}
      data-state={shown}
      data-checking={state === 'checking' || undefined}
    >
      {shown === 'valid' && (
        <>
          <IconCircleCheck size={15} aria-hidden /> valid
        </>
      )}
      {shown === 'invalid' && (
        <UnstyledButton onClick={go} className={classes.mark} data-state="invalid">
          <IconAlertTriangle size={15} aria-hidden /> {count} {count === 1 ? 'problem' : 'problems'}
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
