import { notifications } from '@mantine/notifications';
import { ProblemError } from '~/api/request';

export function notifyDone(message: string): void {
  notifications.show({ message, color: 'teal', autoClose: 3_000 });
}

export function notifyProblem(title: string, error: unknown): void {
  const first = error instanceof ProblemError ? error.problem.errors?.[0] : undefined;
  const detail = error instanceof Error ? error.message : String(error);
  notifications.show({
    title,
    message: first?.hint ? `${detail} → ${first.hint}` : detail,
    color: 'red',
    autoClose: 9_000,
  });
}
