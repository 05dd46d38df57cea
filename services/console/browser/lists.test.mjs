// More workflows than one page of them holds: found by name, and their runs named; and runs that are taken out of the record.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { openPage, shoot, startBrowser } from './support/browser.mjs';
import { api, startServer, until } from './support/server.mjs';

let server, browser, oldest, run;
before(async () => {
  server = await startServer();
  browser = await startBrowser();
  const named = name => ({
    name,
    nodes: [
      { id: 'n', type: 'parameter_input', config: { kind: 'integer', default: 1 } },
      { id: 'answer', type: 'json_output', inputs: { n: '$inputs.n' } },
    ],
  });
  oldest = await api(server, '/workflows', named('first-of-all'));
  for (let at = 0; at < 100; at += 1) await api(server, '/workflows', named(`later-${at}`));
  run = await api(server, `/workflows/${oldest.id}/run?wait=30s`, {});
  await api(server, '/executions?wait=30s', { workflow: named('never saved') });
  await until('the record of the runs', () =>
    api(server, '/executions').then(list => list.executions.every(one => one.completed_at)),
  );
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

test('a workflow behind the first hundred is found, and gives its runs their name', async () => {
  const page = await openPage(browser);
  await page.goto(`${server.url}/workflows`);
  await page.getByRole('link', { name: 'later-99' }).waitFor();
  assert.equal(
    await page.getByRole('link', { name: 'first-of-all' }).count(),
    0,
    'it is not on the first page',
  );
  await page.getByRole('textbox', { name: 'Search workflows' }).fill('FIRST');
  await page.getByRole('link', { name: 'first-of-all' }).waitFor();
  await page.getByRole('textbox', { name: 'Search workflows' }).fill('nobody’s');
  await page.getByText('No workflow of that name').waitFor();

  await page.keyboard.press('Control+k');
  await page.getByPlaceholder(/A page, a workflow/).fill('first-of');
  await page.getByRole('button', { name: /first-of-all/ }).click();
  await page.waitForURL(new RegExp(oldest.id));

  await page.goto(`${server.url}/executions`);
  const runs = page.getByRole('row').filter({ has: page.getByRole('link') });
  await page.getByRole('link', { name: 'first-of-all' }).waitFor();
  await page.getByRole('row', { name: /never saved .* unsaved/ }).waitFor();
  assert.equal(await runs.count(), 2);
  const filter = page.getByRole('combobox', { name: 'Workflow' });
  await filter.fill('first');
  await page.getByRole('option', { name: 'first-of-all' }).click();
  await page.waitForURL(new RegExp(`workflow_id=${oldest.id}`));
  await page.getByRole('link', { name: 'never saved' }).waitFor({ state: 'detached' });
  await page.reload();
  await page.getByRole('link', { name: 'first-of-all' }).waitFor();
  await page.waitForFunction(
    () => document.querySelector('input[aria-label="Workflow"]')?.value === 'first-of-all',
  );
  await shoot(page, 'runs-of-one');
  assert.deepEqual(page.faults, []);
});

test('a run is deleted, from its page and from the list', async () => {
  // Whatever still looks at a run that is gone is answered so.
  const page = await openPage(browser, { allowed: [/410/] });
  const asked = [];
  page.on('dialog', dialog => {
    asked.push(dialog.message());
    void (asked.length === 1 ? dialog.dismiss() : dialog.accept());
  });
  await page.goto(`${server.url}/executions/${run.execution_id}`);
  const remove = page.getByRole('button', { name: /^Delete the run/ });
  await remove.click();
  await page.waitForFunction(() => document.querySelector('h1')?.textContent === 'first-of-all');
  await remove.click();
  await page.waitForURL(/\/executions$/);
  await page.getByRole('link', { name: 'never saved' }).waitFor();
  await page.getByRole('link', { name: 'first-of-all' }).waitFor({ state: 'detached' });
  await page
    .getByRole('row', { name: /never saved/ })
    .getByRole('button', { name: /^Delete the run/ })
    .click();
  await page.getByText('Nothing has run yet').waitFor();
  assert.equal(asked.length, 3);
  assert.match(asked[0], /cannot be undone/);
  assert.deepEqual((await api(server, '/executions')).executions, []);
  assert.deepEqual(page.faults, []);
});

test('going back finds a list where it was left, and a new page begins at its top', async () => {
  const page = await openPage(browser);
  const top = () => page.locator('#main').evaluate(main => main.scrollTop);
  await page.goto(`${server.url}/workflows`);
  const link = page.getByRole('link', { name: 'later-30', exact: true });
  await link.scrollIntoViewIfNeeded();
  const left = await top();
  assert.ok(left > 300, `it was scrolled to ${left}`);
  await link.click();
  await page.waitForURL(/\/workflows\/[0-9a-f-]{36}$/);
  assert.equal(await top(), 0);
  await page.goBack();
  await link.waitFor();
  await until('the list to be where it was', async () => Math.abs((await top()) - left) < 2);
  await page.reload();
  await link.waitFor();
  await until('the list to be there after a reload', async () => Math.abs((await top()) - left) < 2);
  await page.getByRole('link', { name: 'Executions' }).first().click();
  await page.getByRole('heading', { name: 'Executions' }).waitFor();
  assert.equal(await top(), 0);
  assert.deepEqual(page.faults, []);
});
