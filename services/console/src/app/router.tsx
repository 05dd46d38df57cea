import { createBrowserRouter, Navigate } from 'react-router';
import { Shell } from './Shell';
import { PageFailed } from './PageFailed';
import { PageLoading } from './PageLoading';

/** Each page is a part of its own, loaded when it is first opened. */
export const router = createBrowserRouter([
  {
    path: '/',
    element: <Shell />,
    errorElement: <PageFailed />,
    HydrateFallback: PageLoading,
    children: [
      {
        errorElement: <PageFailed />,
        children: [
          { index: true, element: <Navigate to="/workflows" replace /> },
          { path: 'workflows', lazy: () => import('~/workflows/WorkflowsPage') },
          { path: 'workflows/new', lazy: () => import('~/editor/EditorPage') },
          { path: 'workflows/:id', lazy: () => import('~/editor/EditorPage') },
          { path: 'workflows/:id/versions', lazy: () => import('~/workflows/VersionsPage') },
          { path: 'executions', lazy: () => import('~/executions/ExecutionsPage') },
          { path: 'executions/:id', lazy: () => import('~/execution/ExecutionPage') },
          { path: '*', lazy: () => import('./NotFound') },
        ],
      },
    ],
  },
]);
