import { Button, Checkbox, SegmentedControl, Skeleton, Stack, Text } from '@mantine/core';
import { IconArrowBackUp, IconPencil } from '@tabler/icons-react';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { Link, useParams, useSearchParams } from 'react-router';
import { saveWorkflow, versionQuery, versionsQuery, workflowQuery } from '~/api/queries';
import type { Definition } from '~/api/types';
import { useGoFromHere } from '~/lib/useLeaving';
import { Needs } from '~/login/Needs';
import { lazyPart } from '~/ui/lazyPart';
import { notifyDone, notifyProblem } from '~/ui/notify';
import { Page } from '~/ui/Page';
import { Panel } from '~/ui/Panel';
import { ProblemNotice } from '~/ui/ProblemNotice';
import { RelativeTime } from '~/ui/RelativeTime';
import { table } from '~/ui/tableClasses';
import { changesBetween } from './changes';
import { ChangeList } from './ChangeList';

const JsonDiff = lazyPart(
  () => import('./JsonDiff'),
  module => module.default,
  <Skeleton height={240} />,
);

/** What a workflow was: every version, and what changed between two of them. */
export function Component() {
  const { id = '' } = useParams();
  const workflow = useQuery(workflowQuery(id));
  const versions = useQuery(versionsQuery(id));
  const newest = versions.data?.[0]?.version ?? 1;
  const asked = useAsked();
  const [ticked, setTicked] = useState<number[] | null>(asked);
  const chosen = ticked ?? [newest - 1, newest].filter(version => version > 0);
  // A third takes the place of the one that was ticked first.
  const toggle = (version: number): void =>
    setTicked(
      chosen.includes(version) ? chosen.filter(one => one !== version) : [...chosen.slice(-1), version],
    );
  const [before, after] = chosen.toSorted((one, other) => one - other);
  const error = workflow.error ?? versions.error;
  return (
    <Page
      title={`${workflow.data?.name ?? 'Workflow'}: versions`}
      actions={
        <Button
          component={Link}
          to={`/workflows/${id}`}
          variant="default"
          leftSection={<IconPencil size={15} />}
        >
          Edit the newest
        </Button>
      }
    >
      <Stack gap="lg">
        {error && (
          <ProblemNotice
            error={error}
            onRetry={() => void Promise.all([workflow.refetch(), versions.refetch()])}
          />
        )}
        {!versions.data && !error && <Skeleton height={200} />}
        {versions.data && (
          <div className={table.wrap} style={{ maxHeight: 260, overflowY: 'auto' }}>
            <table className={table.table}>
              <thead>
                <tr>
                  <th>Compare</th>
                  <th>Version</th>
                  <th>Saved</th>
                  <th>
                    <span className="visually-hidden">Actions</span>
                  </th>
                </tr>
              </thead>
              <tbody>
                {versions.data.map(({ version, created_at }) => (
                  <tr key={version}>
                    <td>
                      <Checkbox
                        size="xs"
                        aria-label={`Compare version ${version}`}
                        checked={chosen.includes(version)}
                        onChange={() => toggle(version)}
                      />
                    </td>
                    <td className="numbers">
                      v{version}{' '}
                      {version === newest && (
                        <Text component="span" size="xs" c="dimmed">
                          newest
                        </Text>
                      )}
                    </td>
                    <td className={table.cell}>
                      <RelativeTime at={created_at} />
                    </td>
                    <td className={table.end}>
                      {version !== newest && (
                        <Needs scope="run">
                          <Restore id={id} version={version} />
                        </Needs>
                      )}
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        )}
        {before !== undefined && after !== undefined && <Difference id={id} before={before} after={after} />}
        {versions.data && versions.data.length > 1 && after === undefined && (
          <Text size="sm" c="dimmed">
            Choose two versions to compare them.
          </Text>
        )}
        {versions.data?.length === 1 && (
          <Text size="sm" c="dimmed">
            There is one version so far. Each save makes another; runs keep the one they began with.
          </Text>
        )}
      </Stack>
    </Page>
  );
}

/** The two versions that the address names, as the editor does where somebody saved meanwhile. */
function useAsked(): [number, number] | null {
  const [address] = useSearchParams();
  const [from, to] = [Number(address.get('from')), Number(address.get('to'))];
  return from > 0 && to > 0 && from !== to ? [from, to] : null;
}

function Restore({ id, version }: { id: string; version: number }) {
  const queries = useQueryClient();
  const go = useGoFromHere();
  const restore = useMutation({
    mutationFn: async () =>
      saveWorkflow(id, (await queries.fetchQuery(versionQuery(id, version))).definition, null),
    onSuccess: saved => {
      notifyDone(`Version ${version} is the newest again, as version ${saved.version}`);
      // The editor begins with what is known, which is not to be the version from before.
      queries.setQueryData(workflowQuery(id).queryKey, saved);
      void queries.invalidateQueries({ queryKey: ['workflows'] });
      return go(`/workflows/${id}`);
    },
    onError: error => notifyProblem('It was not brought back', error),
  });
  return (
    <Button
      size="compact-xs"
      variant="subtle"
      leftSection={<IconArrowBackUp size={13} />}
      loading={restore.isPending}
      onClick={() => restore.mutate()}
    >
      Bring back
    </Button>
  );
}

function Difference({ id, before, after }: { id: string; before: number; after: number }) {
  const [view, setView] = useState<'summary' | 'json'>('summary');
  const one = useQuery(versionQuery(id, before));
  const other = useQuery(versionQuery(id, after));
  const error = one.error ?? other.error;
  const texts = (definition: Definition) => JSON.stringify(definition, null, 2);
  return (
    <Panel
      title={`From v${before} to v${after}`}
      aside={
        <SegmentedControl
          size="xs"
          value={view}
          onChange={value => setView(value as typeof view)}
          data={[
            { value: 'summary', label: 'Summary' },
            { value: 'json', label: 'JSON' },
          ]}
        />
      }
    >
      {error ? (
        <ProblemNotice error={error} onRetry={() => void Promise.all([one.refetch(), other.refetch()])} />
      ) : !one.data || !other.data ? (
        <Skeleton height={120} />
      ) : view === 'summary' ? (
        <ChangeList changes={changesBetween(one.data.definition, other.data.definition)} />
      ) : (
        <JsonDiff before={texts(one.data.definition)} after={texts(other.data.definition)} />
      )}
    </Panel>
  );
}
