import { Button, Center } from '@mantine/core';
import { useDocumentTitle } from '@mantine/hooks';
import { IconPlus } from '@tabler/icons-react';
import { ReactFlowProvider } from '@xyflow/react';
import { useQuery } from '@tanstack/react-query';
import { useCallback, useEffect, useMemo, useState } from 'react';
import { Navigate, useLocation, useParams, useSearchParams } from 'react-router';
import { blocksQuery, modelsQuery, workflowQuery } from '~/api/queries';
import { isMissing } from '~/api/request';
import type { WorkflowRecord } from '~/api/types';
import { PageLoading } from '~/app/PageLoading';
import { catalogueOf } from '~/graph/ports';
import { lazyPart } from '~/ui/lazyPart';
import { notifyProblem } from '~/ui/notify';
import { ProblemNotice } from '~/ui/ProblemNotice';
import { freshAddress, START } from '~/workflows/start';
import { Canvas } from './canvas/Canvas';
import { nameOf } from './document/edit';
import { editingAt } from './editing';
import { EditorHeader } from './EditorHeader';
import classes from './EditorPage.module.css';
import { NewerVersion } from './NewerVersion';
import { NoWorkflow } from './NoWorkflow';
import { Palette } from './palette/Palette';
import { openEditor } from './open';
import { Settings } from './Settings';
import settings from './Settings.module.css';
import { EditorContext, useEditor, useEditorStore } from './store';
import { useCalled } from './useCalled';
import { useDraft } from './useDraft';
import { useEditorKeys } from './useEditorKeys';
import { useSave } from './useSave';
import { useUnsavedGuard } from './useUnsavedGuard';
import { useValidation } from './useValidation';

const JsonPane = lazyPart(
  () => import('./json/JsonPane'),
  module => module.JsonPane,
  <div className={settings.side} />,
);
const RunPanel = lazyPart(
  () => import('~/run/RunPanel'),
  module => module.RunPanel,
);

const CLOSE_QUESTION = 'The JSON is no workflow yet. Close it, and lose what was written since it was one?';

/** A saved workflow, or a new one, on the canvas. */
export function Component() {
  const { id } = useParams();
  const start = useSearchParams()[0].get(START);
  const place = id ?? start;
  const { state } = useLocation();
  const blocks = useQuery(blocksQuery());
  const saved = useQuery({
    ...workflowQuery(id ?? ''),
    enabled: id !== undefined,
    staleTime: 0,
    refetchOnWindowFocus: false,
  });
  if (id !== undefined && isMissing(saved.error)) return <NoWorkflow id={id} />;
  const error = blocks.error ?? saved.error;
  if (error && !(blocks.data && (id === undefined || saved.data))) {
    return (
      <Center mih={300} p="xl">
        <ProblemNotice
          error={error}
          onRetry={() => void Promise.all([blocks.refetch(), id && saved.refetch()])}
        />
      </Center>
    );
  }
  if (!blocks.data || (id !== undefined && !saved.data)) return <PageLoading />;
  if (place === null) return <Anew />;
  return (
    <Editor key={editingAt(place, state)} place={place} blocks={blocks.data} record={saved.data ?? null} />
  );
}

/** Whoever asks for a new workflow gets one of their own, which the address then names. */
function Anew() {
  const [address] = useState(freshAddress);
  return <Navigate to={address} replace />;
}

interface Props {
  /** The id of the saved workflow, or the key of the new one. */
  place: string;
  blocks: Parameters<typeof catalogueOf>[0];
  record: WorkflowRecord | null;
}

function Editor({ place, blocks, record }: Props) {
  const catalogue = useMemo(() => catalogueOf(blocks), [blocks]);
  const [store] = useState(() => openEditor(place, record, catalogue));
  useEffect(() => store.getState().setCatalogue(catalogue), [store, catalogue]);
  return (
    <EditorContext value={store}>
      <ReactFlowProvider>
        <Workbench place={place} record={record} />
      </ReactFlowProvider>
    </EditorContext>
  );
}

function Workbench({ place, record }: Omit<Props, 'blocks'>) {
  const [showJson, setShowJson] = useState(false);
  const [running, setRunning] = useState(false);
  const [adding, setAdding] = useState(false);
  const [listing, setListing] = useState(false);
  const store = useEditorStore();
  const name = useEditor(state => nameOf(state.history.present));
  const showWorkflow = (): void => {
    store.getState().select([]);
    setListing(true);
  };
  // Pickers ask for the models as soon as a node is opened.
  useQuery(modelsQuery());
  useDocumentTitle(`${name || 'Workflow'} · Millrace`);
  useCalled();
  useValidation();
  const draft = useDraft(place);
  useUnsavedGuard(draft.drop);
  const save = useSave({ place, record, draft });
  const run = useCallback((): void => {
    const untaken = store.getState().settle();
    if (untaken === null) setRunning(true);
    else notifyProblem('It does not run yet', untaken);
  }, [store]);
  const toggleJson = (show: boolean): void => {
    const isLost = !show && store.getState().settle() !== null;
    if (!isLost || window.confirm(CLOSE_QUESTION)) setShowJson(show);
  };
  const keys = useEditorKeys({ save, onRun: run });
  useEffect(() => keys.listen(), [keys]);
  return (
    <div className={classes.page}>
      <EditorHeader
        record={record}
        save={save}
        showJson={showJson}
        onJson={toggleJson}
        onSettings={showWorkflow}
        onRun={run}
      />
      {record && <NewerVersion record={record} save={save} />}
      <div className={classes.bench}>
        <Palette open={adding} onOpen={setAdding} />
        <div className={classes.canvas}>
          <Canvas />
          <Button
            className={classes.add}
            size="sm"
            leftSection={<IconPlus size={16} />}
            onClick={() => setAdding(true)}
          >
            Add
          </Button>
        </div>
        {showJson && <JsonPane onClose={() => toggleJson(false)} />}
        <Settings open={listing} onClose={() => setListing(false)} />
      </div>
      {running && <RunPanel place={place} record={record} onClose={() => setRunning(false)} />}
    </div>
  );
}
