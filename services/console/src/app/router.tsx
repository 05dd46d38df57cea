import { createBrowserRouter } from 'react-router';
import { Shell } from './Shell';
import { PageFailed } from './PageFailed';
import { PageLoading } from './PageLoading';

/** Each page is a part of its own, loaded when it is first opened. */
export const router = createBrowserRouter([
  {
    path: '/login',
    lazy: () => import('~/login/LoginPage'),
    errorElement: <PageFailed />,
    HydrateFallback: PageLoading,
  },
  {
    path: '/',
    element: <Shell />,
    errorElement: <PageFailed />,
    HydrateFallback: PageLoading,
    children: [
      {
        errorElement: <PageFailed />,
        children: [
          { index: true, lazy: () => import('~/operations/overview/OverviewPage') },
          { path: 'workflows', lazy: () => import('~/workflows/WorkflowsPage') },
          { path: 'workflows/new', lazy: () => import('~/editor/EditorPage') },
          { path: 'workflows/:id', lazy: () => import('~/editor/EditorPage') },
          { path: 'workflows/:id/versions', lazy: () => import('~/workflows/VersionsPage') },
          { path: 'workflows/:id/schedules', lazy: () => import('~/workflows/schedules/SchedulesPage') },
          { path: 'executions', lazy: () => import('~/executions/ExecutionsPage') },
          { path: 'executions/compare', lazy: () => import('~/execution/compare/ComparePage') },
          { path: 'executions/:id', lazy: () => import('~/execution/ExecutionPage') },
          { path: 'queues', lazy: () => import('~/operations/queues/QueuesPage') },
          { path: 'workers', lazy: () => import('~/operations/workers/WorkersPage') },
          { path: 'models', lazy: () => import('~/operations/models/ModelsPage') },
          { path: 'collections', lazy: () => import('~/operations/collections/CollectionsPage') },
          { path: 'changes', lazy: () => import('~/operations/changes/ChangesPage') },
          { path: 'keys', lazy: () => import('~/operations/keys/KeysPage') },
          { path: 'failures', lazy: () => import('~/operations/failures/FailuresPage') },
          { path: '*', lazy: () => import('./NotFound') },
        ],
      },
    ],
  },
]);
