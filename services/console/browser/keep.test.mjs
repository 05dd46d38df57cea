// What was drawn is not lost: over a look at its run, a login, somebody else's save, a slow answer.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { openPage, startBrowser } from './support/browser.mjs';
import { startServer } from './support/server.mjs';

let server, browser;
before(async () => {
  server = await startServer();
  browser = await startBrowser();
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

const nodes = page => page.locator('.react-flow__node');

test('a new workflow is empty, whatever the one before began with', async () => {
  const page = await openPage(browser);
  await page.goto(`${server.url}/workflows`);
  await page.getByRole('button', { name: /^detect-shapes/ }).click();
  await nodes(page).nth(4).waitFor();
  const example = page.url();
  await page.reload();
  await nodes(page).nth(4).waitFor();

  await page.getByRole('link', { name: 'Workflows', exact: true }).click();
  await page.getByRole('link', { name: 'New workflow' }).click();
  await page.getByText('An empty canvas').waitFor();
  await page.goto(example);
  await nodes(page).nth(4).waitFor();
  await page.keyboard.press('Control+k');
  await page.getByPlaceholder(/A page, a workflow/).fill('New workflow');
  await page.keyboard.press('Enter');
  await page.getByText('An empty canvas').waitFor();
  assert.deepEqual(page.faults, []);
});
