import { CloseButton } from '@mantine/core';
import { NodeForm } from './form/NodeForm';
import { WorkflowForm } from './form/WorkflowForm';
import classes from './Settings.module.css';
import { useEditor, useEditorStore } from './store';

interface Props {
  /** Whether the workflow's own form is open where there is no room for it beside the canvas. */
  open: boolean;
  onClose(): void;
}

/** The settings of the node that is selected, or of the workflow: beside the canvas, or on a small screen over it. */
export function Settings({ open, onClose }: Props) {
  const store = useEditorStore();
  const selected = useEditor(({ selection }) => (selection.size === 1 ? [...selection][0] : undefined));
  // By its place among the nodes: a node that is renamed is the same, and whoever writes in its form goes on writing.
  const at = useEditor(state => state.history.present.nodes.findIndex(node => node.id === selected));
  const close = (): void => {
    store.getState().select([]);
    onClose();
  };
  return (
    <aside className={classes.side} aria-label="Settings" data-open={at >= 0 || open || undefined}>
      <CloseButton className={classes.close} aria-label="Close the settings" onClick={close} />
      {at >= 0 && selected !== undefined ? <NodeForm key={at} id={selected} /> : <WorkflowForm />}
    </aside>
  );
}
