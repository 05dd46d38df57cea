import { Button, Skeleton, Stack, Text } from '@mantine/core';
import { IconGitCompare } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Link, useSearchParams } from 'react-router';
import { definitionQuery, executionQuery } from '~/api/queries';
import type { Execution } from '~/api/types';
import { formatDuration, shortId } from '~/lib/format';
import { allImages } from '~/lib/values';
import { ChangeList } from '~/workflows/ChangeList';
import { changesBetween } from '~/workflows/changes';
import { EmptyState } from '~/ui/EmptyState';
import { Page } from '~/ui/Page';
import { lazyPart } from '~/ui/lazyPart';
import { Panel } from '~/ui/Panel';
import { ProblemNotice } from '~/ui/ProblemNotice';
import { StatusBadge } from '~/ui/Status';
import { Thumbnail } from '~/ui/Thumbnail';
import classes from './ComparePage.module.css';
import { NodeTable } from './NodeTable';

const JsonDiff = lazyPart(
  () => import('~/workflows/JsonDiff'),
  module => module.default,
  <Skeleton height={200} />,
);

/** Two runs side by side: what they walked, how long each node took, what they gave. */
export function Component() {
  const [params] = useSearchParams();
  const [a, b] = [params.get('a') ?? '', params.get('b') ?? ''];
  const one = useQuery({ ...executionQuery(a), enabled: a !== '' });
  const other = useQuery({ ...executionQuery(b), enabled: b !== '' });
  const error = one.error ?? other.error;
  if (a === '' || b === '') {
    return (
      <EmptyState
        icon={IconGitCompare}
        title="Choose two runs"
        action={
          <Button component={Link} to="/executions">
            Executions
          </Button>
        }
      >
        Tick two runs in the list of executions, then press Compare.
      </EmptyState>
    );
  }
  return (
    <Page title="Two runs compared">
      {error && <ProblemNotice error={error} />}
      {!error && (!one.data || !other.data) && <Skeleton height={240} />}
      {one.data && other.data && (
        <Stack gap="lg">
          <div className={classes.heads}>
            <Head run={one.data} letter="A" />
            <Head run={other.data} letter="B" />
          </div>
          <Definitions one={one.data} other={other.data} />
          <NodeTable a={one.data} b={other.data} />
          <div className={classes.heads}>
            <Pictures run={one.data} letter="A" />
            <Pictures run={other.data} letter="B" />
          </div>
          <Panel title="Outputs">
            <JsonDiff before={text(one.data.outputs)} after={text(other.data.outputs)} />
          </Panel>
        </Stack>
      )}
    </Page>
  );
}

function text(value: unknown): string {
  return JSON.stringify(value, null, 2) ?? 'null';
}

function Head({ run, letter }: { run: Execution; letter: string }) {
  return (
    <Panel>
      <div className={classes.head}>
        <b className={classes.letter}>{letter}</b>
        <Link to={`/executions/${run.execution_id}`}>
          run <span className="mono">{shortId(run.execution_id)}</span>
        </Link>
        <StatusBadge status={run.status} />
        <span className="numbers">{formatDuration(run.duration_ms)}</span>
        {run.version && <span>v{run.version}</span>}
      </div>
      {run.error && (
        <Text size="sm" c="var(--state-failed)" mt={6}>
          {run.error.message}
        </Text>
      )}
    </Panel>
  );
}

function Definitions({ one, other }: { one: Execution; other: Execution }) {
  const before = useQuery(definitionQuery(one.definition));
  const after = useQuery(definitionQuery(other.definition));
  const error = before.error ?? after.error;
  if (one.definition === other.definition) {
    return (
      <Text size="sm" c="dimmed">
        Both walked the same definition.
      </Text>
    );
  }
  return (
    <Panel title="What changed in the workflow">
      {error ? (
        <ProblemNotice error={error} onRetry={() => void Promise.all([before.refetch(), after.refetch()])} />
      ) : before.data && after.data ? (
        <ChangeList changes={changesBetween(before.data, after.data)} />
      ) : (
        <Skeleton height={60} />
      )}
    </Panel>
  );
}

function Pictures({ run, letter }: { run: Execution; letter: string }) {
  const images = allImages(run.outputs ?? undefined, 6);
  if (images.length === 0) return <span />;
  return (
    <Panel title={`Pictures of ${letter}`} flush>
      {images.map(image => (
        <Thumbnail key={image.blob} image={image} height={220} alt={`A picture that run ${letter} gave`} />
      ))}
    </Panel>
  );
}
