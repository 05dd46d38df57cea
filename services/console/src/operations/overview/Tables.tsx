import { Anchor, SimpleGrid } from '@mantine/core';
import { Link } from 'react-router';
import type { Stats } from '~/api/types';
import { formatCount, formatDuration, formatRatio } from '~/lib/format';
import { Panel } from '~/ui/Panel';
import { SmallTable } from '~/ui/SmallTable';
import { formatCost } from '../cost';

const SHOWN = 10;

/** Who takes the time, the money and the blame. */
export function Tables({ stats }: { stats: Stats }) {
  const { models, workflows, errors, fleet } = stats;
  return (
    <>
      {models.length > 0 && (
        <Panel title="Models" flush>
          <SmallTable
            head={[
              'Model',
              'Task',
              'Jobs',
              'p50',
              'p95',
              'p99',
              'Queue p95',
              'Batch',
              'Reused',
              'Cold starts',
              'Failed',
            ]}
            rows={models
              .slice(0, SHOWN)
              .map(model => [
                <b key="id">{model.model_id}</b>,
                model.task,
                formatCount(model.jobs),
                formatDuration(model.p50_ms),
                formatDuration(model.p95_ms),
                formatDuration(model.p99_ms),
                formatDuration(model.queue_wait_p95_ms),
                model.mean_batch_size?.toFixed(1) ?? '–',
                formatRatio(model.cache_hit_rate),
                formatCount(model.cold_starts),
                formatCount(model.failed),
              ])}
          />
        </Panel>
      )}
      <SimpleGrid cols={{ base: 1, md: 2 }} spacing="md">
        {workflows.length > 0 && (
          <Panel title="Workflows by cost" flush>
            <SmallTable
              head={['Workflow', 'Runs', 'Inferences', 'Cost', 'Per run']}
              rows={workflows.slice(0, SHOWN).map(row => [
                row.workflow_id ? (
                  <Anchor key="name" component={Link} to={`/workflows/${row.workflow_id}`} size="sm">
                    {row.workflow ?? 'deleted'}
                  </Anchor>
                ) : (
                  'unsaved workflows'
                ),
                formatCount(row.runs),
                formatCount(row.inferences),
                formatCost(row.cost),
                formatCost(row.cost_per_run),
              ])}
            />
          </Panel>
        )}
        {errors.length > 0 && (
          <Panel
            title="What went wrong"
            flush
            aside={
              <Anchor component={Link} to="/failures" size="xs">
                Failures
              </Anchor>
            }
          >
            <SmallTable
              head={['Kind', 'Runs', 'Attempts']}
              rows={errors
                .slice(0, SHOWN)
                .map(error => [error.kind, formatCount(error.runs), formatCount(error.jobs)])}
            />
          </Panel>
        )}
        {fleet.length > 0 && (
          <Panel title="The fleet's time" flush>
            <SmallTable
              head={['Pools', 'Workers', 'In use', 'Up', 'Cost', 'Of it idle']}
              rows={fleet.map(row => [
                row.pools,
                formatCount(row.workers),
                formatRatio(row.utilisation),
                formatDuration(row.up_ms),
                formatCost(row.cost),
                formatCost(row.idle_cost),
              ])}
            />
          </Panel>
        )}
      </SimpleGrid>
    </>
  );
}
