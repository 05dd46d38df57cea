import { expect, it, vi } from 'vitest';
import { askingPage } from '~/lib/askingPage';
import { notifyDone } from '~/ui/notify';
import { useGoToRun } from './useGoToRun';

vi.mock('~/ui/notify', () => ({ notifyDone: vi.fn() }));

it('goes to the run that has begun, or tells of it where its page was left before', async () => {
  const page = await askingPage(() => {
    const go = useGoToRun();
    return () => go('one');
  });
  await page.goTo('/elsewhere');
  await page.answer();
  expect(page.place()).toBe('/elsewhere');
  expect(notifyDone).toHaveBeenCalledOnce();
  await page.goTo('/');
  await page.answer();
  expect(page.place()).toBe('/executions/one');
  expect(notifyDone).toHaveBeenCalledOnce();
  await page.unmount();
});
