// What operators do in the console: preload, read dead letters, run by the clock; and what a run's page says of its trace.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { join } from 'node:path';
import { openPage, shoot, startBrowser } from './support/browser.mjs';
import { api, example, ROOT, sql, startServer, upload } from './support/server.mjs';

let server, browser;
before(async () => {
  server = await startServer({
    MILLRACE__API__TRACE_URL: 'https://jaeger.example.com/trace/{trace_id}',
  });
  browser = await startBrowser();
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

test('a model is preloaded, and one that cannot be says why', async () => {
  // The browser notes the answer for the one that cannot.
  const page = await openPage(browser, { allowed: [/422.*\/models\/broken\/preload/] });
  await api(server, '/models', {
    id: 'broken',
    task: 'detection',
    checkpoint: await upload(server, 'star.jpg'),
  });
  await page.goto(`${server.url}/models`);
  const row = name => page.getByRole('row', { name });
  await row(/shapes-detector/)
    .getByRole('button', { name: 'Preload', exact: true })
    .click();
  await page.getByText('shapes-detector is loaded on 1 worker').waitFor({ timeout: 30_000 });
  await row(/shapes-detector/)
    .getByText('1 of 1')
    .waitFor();
  await row(/broken/)
    .getByRole('button', { name: 'Preload', exact: true })
    .click();
  await page.getByText('broken was not loaded').waitFor({ timeout: 30_000 });
  await shoot(page, 'preload');
  assert.deepEqual(page.faults, []);
});

test('an event that could not be recorded is shown with its reason and its words', async () => {
  sql(
    server,
    `insert into wf_dead_letters (event_id, type, event, reason) values
     ('e-1', 'workflow:node:completed', '{"id": "e-1", "data": {"node_id": "odd"}}', 'unsupported Unicode escape sequence')`,
  );
  const page = await openPage(browser);
  await page.goto(`${server.url}/failures`);
  const panel = page.getByRole('region', { name: /Dead letters/ });
  await panel.getByText('unsupported Unicode escape sequence').waitFor();
  await panel.getByRole('button', { name: 'Read' }).click();
  await page.getByRole('dialog').getByText('"odd"').waitFor();
  await shoot(page, 'dead-letter');
  assert.deepEqual(page.faults, []);
});

test('a schedule is made, changed, switched off, and run at once', async () => {
  const page = await openPage(browser);
  const workflow = await api(server, '/workflows', {
    name: 'by-the-clock',
    nodes: [
      { id: 'n', type: 'parameter_input', config: { kind: 'integer', default: 1 } },
      { id: 'answer', type: 'json_output', inputs: { n: '$inputs.n' } },
    ],
  });
  await page.goto(`${server.url}/workflows/${workflow.id}/schedules`);
  await page.getByRole('button', { name: 'New schedule' }).click();
  await page.getByRole('textbox', { name: 'When' }).fill('every day');
  await page.getByRole('button', { name: 'Make the schedule' }).click();
  await page.getByRole('alert').waitFor();
  await page.getByRole('textbox', { name: 'When' }).fill('@hourly');
  await page.getByRole('textbox', { name: 'n', exact: true }).fill('7');
  await shoot(page, 'schedule-new');
  await page.getByRole('button', { name: 'Make the schedule' }).click();
  await page.getByRole('button', { name: 'Change @hourly' }).click();
  const when = page.getByRole('textbox', { name: 'When' });
  assert.equal(await when.inputValue(), '@hourly');
  await when.fill('@daily');
  await shoot(page, 'schedule-change');
  await page.getByRole('button', { name: 'Save' }).click();
  const row = page.getByRole('row', { name: /@daily/ });
  await row.waitFor();
  await row.getByRole('switch').click({ force: true });
  await row.getByText('switched off').waitFor();
  await shoot(page, 'schedules');
  // On a phone all that can be done is in reach.
  await page.setViewportSize({ width: 390, height: 844 });
  for (const action of await row.getByRole('button').all()) {
    const { x, width } = await action.boundingBox();
    assert.ok(x >= 0 && x + width <= 390, `${await action.getAttribute('aria-label')} ends at ${x + width}`);
  }
  await shoot(page, 'schedules-phone');
  await row.getByRole('button', { name: 'Run @daily now' }).click();
  await page.waitForURL(/\/executions\//);
  await page.getByRole('tab', { name: 'Outputs' }).click();
  await page.getByText('answer.n').waitFor();
  await page.getByText('7', { exact: true }).first().waitFor();
  // The first try was answered 422, which the browser notes.
  assert.deepEqual(
    page.faults.filter(fault => !/422/.test(fault)),
    [],
  );
});

test('a schedule is made for inputs with names that every object knows', async () => {
  const page = await openPage(browser);
  const inputs = ['constructor', 'toString'];
  const workflow = await api(server, '/workflows', {
    name: 'odd-inputs',
    nodes: [
      ...inputs.map(id => ({ id, type: 'parameter_input', config: { kind: 'integer' } })),
      { id: 'answer', type: 'json_output', inputs: { one: '$inputs.constructor', two: '$inputs.toString' } },
    ],
  });
  await page.goto(`${server.url}/workflows/${workflow.id}/schedules`);
  await page.getByRole('button', { name: 'New schedule' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByText('It still needs constructor, toString').waitFor();
  for (const [at, name] of inputs.entries())
    await dialog.getByRole('textbox', { name, exact: true }).fill(String(at + 1));
  await dialog.getByRole('button', { name: 'Make the schedule' }).click();
  await page.getByRole('button', { name: /^Change/ }).click();
  await dialog.getByRole('textbox', { name: 'toString', exact: true }).waitFor();
  const { schedules } = await api(server, `/workflows/${workflow.id}/schedules`);
  assert.deepEqual(schedules[0].input, { constructor: 1, toString: 2 });
  assert.deepEqual(page.faults, []);
});

test('a schedule is given a picture, and shows it when it is changed', async () => {
  const page = await openPage(browser);
  const workflow = await api(server, '/workflows', { ...example('detect-shapes'), name: 'every-hour' });
  await page.goto(`${server.url}/workflows/${workflow.id}/schedules`);
  await page.getByRole('button', { name: 'New schedule' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByText('It still needs photo').waitFor();
  assert.ok(await dialog.getByRole('button', { name: 'Make the schedule' }).isDisabled());
  await page.getByRole('textbox', { name: 'When' }).fill('@hourly');
  await dialog.locator('input[type=file][data-input=photo]').setInputFiles(join(ROOT, 'examples/scene.jpg'));
  await dialog.getByRole('img', { name: 'scene.jpg' }).waitFor();
  await shoot(page, 'schedule-picture');
  await dialog.getByRole('button', { name: 'Make the schedule' }).click();
  await page.getByRole('button', { name: 'Change @hourly' }).click();
  await dialog.getByRole('img', { name: /^stored picture/ }).waitFor();
  await page.waitForFunction(
    () => document.querySelector('[role=dialog] img[alt^="stored picture"]')?.naturalWidth > 0,
  );
  await page.getByRole('textbox', { name: 'When' }).fill('@daily');
  await dialog.getByRole('button', { name: 'Save' }).click();
  await page.getByRole('button', { name: 'Run @daily now' }).click();
  await page.waitForURL(/\/executions\//);
  await page.locator('[data-node=answer][data-status=completed]').waitFor({ timeout: 30_000 });
  assert.deepEqual(page.faults, []);
});

test('two quick Enters in a dialog send it once', async () => {
  const page = await openPage(browser);
  let sent = 0;
  await page.route('**/api/v1/collections', async route => {
    if (route.request().method() === 'POST') sent += 1;
    await route.continue();
  });
  await page.goto(`${server.url}/collections`);
  await page.getByRole('button', { name: 'New collection' }).click();
  await page.getByRole('textbox', { name: 'Name' }).fill('once');
  await page.getByRole('textbox', { name: 'Dimensions' }).fill('3');
  await page.evaluate(() => {
    const form = document.querySelector('[role=dialog] form');
    form.requestSubmit();
    form.requestSubmit();
  });
  await page.getByRole('row', { name: /once/ }).waitFor();
  assert.equal(sent, 1);
  await fetch(`${server.url}/api/v1/collections/once`, { method: 'DELETE' });
  assert.deepEqual(page.faults, []);
});

test('a server that is away is waited for by a list, and not by a dialog', async () => {
  const page = await openPage(browser, { allowed: [/ERR_FAILED/] });
  await page.goto(`${server.url}/collections`);
  await page.getByRole('button', { name: 'New collection' }).click();
  await page.getByRole('textbox', { name: 'Name' }).fill('away');
  await page.getByRole('textbox', { name: 'Dimensions' }).fill('3');
  await page.route('**/api/v1/collections', route => route.abort());
  await page.getByRole('button', { name: 'Make the collection' }).click();
  const told = page.getByRole('dialog').getByRole('alert');
  await told.getByText('No answer came').waitFor();
  assert.equal(await told.getByText('tries again by itself').count(), 0);

  await page.goto(`${server.url}/models`);
  await page.route('**/api/v1/models', route => route.abort());
  await page.reload();
  await page.getByRole('alert').getByText('tries again by itself').waitFor();
  await page.unroute('**/api/v1/models');
  await page.getByRole('row', { name: /shapes-detector/ }).waitFor();
  assert.deepEqual(page.faults, []);
});

test('a collection is made and deleted, and the changes say so', async () => {
  const page = await openPage(browser);
  page.on('dialog', dialog => void dialog.accept());
  await page.goto(`${server.url}/collections`);
  await page.getByRole('button', { name: 'New collection' }).click();
  await page.getByRole('textbox', { name: 'Name' }).fill('of shapes');
  // A model's dimensions are known by its files, before any worker has it loaded.
  await page.getByRole('combobox', { name: 'For the vectors of' }).click();
  await page.getByRole('option', { name: 'dinov2-tiny (48)' }).click();
  assert.equal(await page.getByRole('textbox', { name: 'Dimensions' }).inputValue(), '48');
  await shoot(page, 'collection-new');
  await page.getByRole('textbox', { name: 'Dimensions' }).fill('3');
  await page.getByRole('button', { name: 'Make the collection' }).click();
  await page.getByRole('alert').waitFor();
  await page.getByRole('textbox', { name: 'Name' }).fill('shapes');
  await page.getByRole('button', { name: 'Make the collection' }).click();
  const row = page.getByRole('row', { name: /shapes/ });
  await row.waitFor();
  const points = [{ id: 'one', vector: [1, 0, 0], payload: {} }];
  await api(server, '/collections/shapes/points', { points }, 'PUT');
  await page.reload();
  await row.getByRole('cell', { name: '1', exact: true }).waitFor();
  await shoot(page, 'collections-one');
  await row.getByRole('button', { name: 'Delete shapes' }).click();
  await page.getByText('No collection yet').waitFor();

  await page.goto(`${server.url}/changes?target=collections/shapes`);
  await page.getByRole('row', { name: /delete collection/ }).waitFor();
  await page.getByRole('row', { name: /create collection/ }).waitFor();
  await shoot(page, 'changes-of-one');
  await page.getByRole('textbox', { name: 'Action' }).pressSequentially('delete collection');
  await page.getByRole('row', { name: /create collection/ }).waitFor({ state: 'detached' });
  await page.getByRole('textbox', { name: 'Action' }).fill('nothing like it');
  await page.getByText('No change matches').waitFor();
  await page.getByRole('textbox', { name: 'Action' }).fill(' delete collection ');
  await page.getByRole('row', { name: /delete collection/ }).waitFor();
  // The name with a space was answered 422, which the browser notes.
  assert.deepEqual(
    page.faults.filter(fault => !/422/.test(fault)),
    [],
  );
});

test('a run’s page names its trace and leads to it; small copies of pictures are no runs in the lists', async () => {
  const photo = await upload(server, 'crowd.jpg');
  const run = await api(server, '/executions?wait=30s', {
    workflow: example('detect-shapes'),
    input: { photo },
  });
  const page = await openPage(browser);
  await page.goto(`${server.url}/executions/${run.execution_id}`);
  await page.waitForFunction(() => document.querySelector('[data-node=draw] img')?.naturalWidth === 256);
  await page.getByRole('tab', { name: 'Events' }).click();
  const { trace_id: trace } = await api(server, `/executions/${run.execution_id}`);
  const link = page.getByRole('link', { name: 'Trace' });
  assert.equal(await link.getAttribute('href'), `https://jaeger.example.com/trace/${trace}`);
  await page
    .getByRole('log')
    .getByText(/worked .* worker/)
    .first()
    .waitFor();
  await shoot(page, 'events');
  const listed = (await api(server, '/executions')).executions;
  assert.deepEqual(
    listed.filter(one => one.labels.millrace),
    [],
  );
  assert.deepEqual(page.faults, []);
});
