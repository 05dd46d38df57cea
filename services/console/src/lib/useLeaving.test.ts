import { expect, it, vi } from 'vitest';
import { askingPage } from './askingPage';
import { useGoFromHere } from './useLeaving';

it('goes where an answer leads, unless its page was left before', async () => {
  const onLeft = vi.fn();
  const page = await askingPage(() => {
    const go = useGoFromHere(onLeft);
    return () => go('/answered');
  });
  await page.goTo('/elsewhere');
  await page.answer();
  expect(page.place()).toBe('/elsewhere');
  expect(onLeft).toHaveBeenCalledOnce();
  await page.goTo('/');
  await page.answer();
  expect(page.place()).toBe('/answered');
  expect(onLeft).toHaveBeenCalledOnce();
  await page.unmount();
});
