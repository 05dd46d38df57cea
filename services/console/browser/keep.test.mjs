// What was drawn is not lost: over a look at its run, a login, somebody else's save, a slow answer.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { openPage, shoot, startBrowser } from './support/browser.mjs';
import { api, startServer } from './support/server.mjs';
import { chain } from './support/workflows.mjs';

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
const nameField = page => page.getByRole('textbox', { name: 'Name of the workflow' });
const version = (page, number) => page.locator('header').getByText(`v${number}`, { exact: true }).waitFor();

/** A saved workflow of two nodes. */
const saved = name => api(server, '/workflows', { ...chain(2), name });
/** Somebody else saves another version of it. */
const saveElsewhere = (workflow, definition) =>
  api(server, `/workflows/${workflow.id}`, { ...definition, name: workflow.name }, 'PUT');
const newest = workflow => api(server, `/workflows/${workflow.id}`);

/** From the editor to the list of workflows and back, without loading the page anew. */
async function leave(page) {
  await page.getByRole('link', { name: 'Workflows', exact: true }).click();
  await page.getByRole('link', { name: 'New workflow' }).waitFor();
}

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

test('what somebody else saved is shown, and not overwritten unseen', async () => {
  // A save that names an old version is answered 412, and the browser notes it.
  const page = await openPage(browser, { allowed: [/412/] });
  const workflow = await saved('two-hands');
  await page.goto(`${server.url}/workflows/${workflow.id}`);
  await version(page, 1);
  await leave(page);
  await saveElsewhere(workflow, chain(3));
  await page.getByRole('link', { name: 'two-hands' }).click();
  await nodes(page).nth(2).waitFor();
  await version(page, 2);

  // With changes of one's own it stays as it is, and says so.
  await leave(page);
  await page.route(`**/api/v1/workflows/${workflow.id}`, async (route, request) => {
    if (request.method() === 'GET') await new Promise(resolve => setTimeout(resolve, 1_500));
    await route.continue();
  });
  await saveElsewhere(workflow, chain(4));
  await page.getByRole('link', { name: 'two-hands' }).click();
  await version(page, 2);
  await nameField(page).fill('mine');
  await page.getByText('Version 3 was saved meanwhile').waitFor();
  await shoot(page, 'newer-version');
  await version(page, 2);
  assert.equal(await nodes(page).count(), 3);
  // Listened for before: the answer may be quicker than the next line.
  const refused = page.waitForResponse(answer => answer.status() === 412);
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await refused;
  await page.getByText('Somebody saved another version').waitFor();
  assert.equal((await newest(workflow)).version, 3);

  await page.getByRole('button', { name: 'Load it' }).click();
  await nodes(page).nth(3).waitFor();
  await version(page, 3);
  assert.equal(await nameField(page).inputValue(), 'two-hands');
  await page.keyboard.press('Escape');
  await page.getByRole('button', { name: 'Undo' }).click();
  assert.equal(await nameField(page).inputValue(), 'mine');
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await version(page, 4);

  // A save is the first to tell of what came before it; what changed can be looked at, and one's own be saved all the same.
  await saveElsewhere(workflow, chain(5));
  await nameField(page).fill('mine again');
  await page.keyboard.press('Control+s');
  await page.getByText('Version 5 was saved meanwhile').waitFor();
  const changes = page.getByRole('link', { name: 'See what changed' });
  assert.match(await changes.getAttribute('href'), /versions\?from=4&to=5$/);
  await page.getByRole('button', { name: 'Save mine as the newest' }).click();
  await version(page, 6);
  assert.equal((await newest(workflow)).definition.name, 'mine again');
  assert.deepEqual(page.faults, []);
});

test('what was not saved of a workflow that is deleted becomes another one', async () => {
  const page = await openPage(browser, { allowed: [/404|410/] });
  const workflow = await saved('deleted-meanwhile');
  await page.goto(`${server.url}/workflows/${workflow.id}`);
  await version(page, 1);
  const gone = await fetch(`${server.url}/api/v1/workflows/${workflow.id}`, { method: 'DELETE' });
  assert.equal(gone.status, 204);
  await nameField(page).fill('not lost');
  await page.keyboard.press('Control+s');
  await page.getByRole('button', { name: 'Open your changes as a new workflow' }).click();
  await page.waitForURL(/\/workflows\/new/);
  await page.getByText('● unsaved').waitFor();
  assert.equal(await nameField(page).inputValue(), 'not lost');
  await page.keyboard.press('Control+s');
  await version(page, 1);
  assert.notEqual(page.url().split('/').pop(), workflow.id);
  assert.deepEqual(page.faults, []);
});

test('a version that is brought back is what the editor opens', async () => {
  const page = await openPage(browser);
  const workflow = await saved('brought-back');
  await saveElsewhere(workflow, chain(3));
  await page.goto(`${server.url}/workflows/${workflow.id}`);
  await nodes(page).nth(2).waitFor();
  await page.getByRole('button', { name: 'More' }).click();
  await page.getByRole('menuitem', { name: 'Versions' }).click();
  // What the editor would read anew never comes: it has to know it already.
  await page.getByRole('button', { name: 'Bring back' }).waitFor();
  await page.route(
    `**/api/v1/workflows/${workflow.id}`,
    (route, request) => request.method() !== 'GET' && route.continue(),
  );
  await page.getByRole('button', { name: 'Bring back' }).click();
  await page.waitForURL(/\/workflows\/[0-9a-f-]{36}$/);
  await version(page, 3);
  assert.equal(await nodes(page).count(), 2);
  assert.deepEqual(page.faults, []);
});

test('unsaved changes are there again after a look at their run, until they are left', async () => {
  const page = await openPage(browser);
  const workflow = await saved('tried-out');
  const address = `${server.url}/workflows/${workflow.id}`;
  await page.goto(address);
  await nameField(page).fill('tried-out, mine');
  await page.getByRole('button', { name: 'Run', exact: true }).click();
  await page.locator('form').getByRole('button', { name: 'Run', exact: true }).click();
  await page.waitForURL(/\/executions\//);
  await page.locator('[data-node=step_1][data-status=completed]').waitFor();
  await page.goBack();
  await page.waitForURL(address);
  await page.getByText('● unsaved').waitFor();
  assert.equal(await nameField(page).inputValue(), 'tried-out, mine');
  await page.goForward();
  await page.getByRole('link', { name: 'Edit', exact: true }).click();
  await page.waitForURL(address);
  await page.getByText('● unsaved').waitFor();

  page.once('dialog', dialog => dialog.accept());
  await leave(page);
  await page.getByRole('link', { name: 'tried-out' }).click();
  await version(page, 1);
  assert.equal(await nameField(page).inputValue(), 'tried-out');
  assert.equal((await newest(workflow)).version, 1);
  assert.deepEqual(page.faults, []);
});

test('what is still being typed is work as well', async () => {
  const page = await openPage(browser, { allowed: [/422/] });
  const workflow = await saved('half-typed');
  await page.goto(`${server.url}/workflows`);
  await page.getByRole('link', { name: 'half-typed' }).click();
  await page.locator('.react-flow__node [data-node=step_1] header').click();
  const value = page.getByRole('combobox', { name: 'Input value' });
  const answer = () =>
    page.waitForEvent('dialog').then(async dialog => {
      await dialog.dismiss();
      return dialog.type();
    });
  await value.fill('');
  await value.pressSequentially('4');
  const [closing] = await Promise.all([answer(), page.close({ runBeforeUnload: true })]);
  assert.equal(closing, 'beforeunload');

  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await version(page, 2);
  assert.equal((await newest(workflow)).definition.nodes[1].inputs.value, 4);
  await value.fill('');
  await value.pressSequentially('42');
  const [going] = await Promise.all([answer(), page.evaluate(() => window.history.back())]);
  assert.equal(going, 'confirm');
  await page.getByText('● unsaved').waitFor();
  assert.equal(await value.inputValue(), '42');
  assert.deepEqual(page.faults, []);
});

test('what was typed last is there again after a reload', async () => {
  const page = await openPage(browser, { allowed: [/422/] });
  const workflow = await saved('reloaded');
  await page.goto(`${server.url}/workflows/${workflow.id}`);
  await page.locator('.react-flow__node [data-node=step_1] header').click();
  const value = page.getByRole('combobox', { name: 'Input value' });
  await value.fill('');
  await value.pressSequentially('42');
  page.once('dialog', dialog => dialog.accept());
  await page.reload();
  await page.getByText('● unsaved').waitFor();
  await page.locator('.react-flow__node [data-node=step_1] header').click();
  assert.equal(await value.inputValue(), '42');
  assert.deepEqual(page.faults, []);
});

test('the first save leaves the canvas, what is selected and what can be undone', async () => {
  const page = await openPage(browser, { allowed: [/422/] });
  await page.goto(`${server.url}/workflows`);
  await page.getByRole('button', { name: /^detect-shapes/ }).click();
  await nodes(page).nth(4).waitFor();
  await nameField(page).fill('saved-first');
  await page.locator('.react-flow__node [data-node=detect] header').click();
  await page.getByRole('button', { name: 'Zoom in' }).click();
  const selected = page.getByRole('textbox', { name: 'Name', exact: true });
  assert.equal(await selected.inputValue(), 'detect');
  const node = await nodes(page).first().elementHandle();
  await page.keyboard.press('Control+s');
  await page.waitForURL(/\/workflows\/[0-9a-f-]{36}$/);
  await version(page, 1);
  const address = page.url();
  // The very same boxes, where they were.
  assert.equal(await node.evaluate(box => box.isConnected), true);
  assert.equal(await selected.inputValue(), 'detect');
  await page.getByRole('button', { name: 'Undo' }).click();
  assert.equal(await nameField(page).inputValue(), 'detect-shapes');

  // What is unsaved now is the saved workflow's.
  await page.getByText('● unsaved').waitFor();
  page.once('dialog', dialog => dialog.accept());
  await page.reload();
  await page.getByText('● unsaved').waitFor();
  assert.equal(await nameField(page).inputValue(), 'detect-shapes');
  await page.keyboard.press('Control+s');
  await version(page, 2);
  assert.equal(page.url(), address);
  assert.deepEqual(page.faults, []);
});

test('a save takes what was there when it was asked for, once', async () => {
  const page = await openPage(browser);
  let [sent, slow] = [0, false];
  await page.route(/\/api\/v1\/workflows(\/[0-9a-f-]{36})?$/, async (route, request) => {
    if (['POST', 'PUT'].includes(request.method())) {
      sent += 1;
      if (slow) await new Promise(resolve => setTimeout(resolve, 1_000));
    }
    await route.continue();
  });
  const savedAs = number => page.getByText(`Saved as version ${number}`).waitFor();
  await page.goto(`${server.url}/workflows`);
  await page.getByRole('button', { name: /^detect-shapes/ }).click();
  await nodes(page).nth(4).waitFor();
  await nameField(page).fill('saved-once');
  slow = true;
  await page.keyboard.press('Control+s');
  await page.keyboard.press('Control+s');
  await nameField(page).fill('saved-once, and later');
  await savedAs(1);
  await page.waitForURL(/\/workflows\/[0-9a-f-]{36}$/);
  const id = page.url().split('/').pop();
  // What was done while the answer was on its way is there, and unsaved.
  await page.getByText('● unsaved').waitFor();
  assert.equal(await nameField(page).inputValue(), 'saved-once, and later');
  assert.equal((await newest({ id })).definition.name, 'saved-once');
  assert.equal(sent, 1);

  await page.keyboard.press('Control+s');
  await nameField(page).fill('later still');
  await savedAs(2);
  await page.getByText('● unsaved').waitFor();
  assert.equal(await nameField(page).inputValue(), 'later still');
  slow = false;
  await page.keyboard.press('Control+s');
  await savedAs(3);
  await page.keyboard.press('Control+s');
  await page.keyboard.press('Control+s');
  assert.equal((await newest({ id })).definition.name, 'later still');

  // JSON that has only just been typed is saved as well.
  await page.getByRole('button', { name: 'JSON side by side' }).click();
  await page.locator('.cm-content').getByText('"later still"').click();
  await page.keyboard.press('Home');
  await page.keyboard.type('"timeout_ms": 5000, ');
  await page.keyboard.press('Control+s');
  await savedAs(4);
  assert.equal((await newest({ id })).definition.timeout_ms, 5000);
  assert.equal(sent, 4);

  // JSON that is none yet is not saved as something else, nor run, nor closed unasked.
  await page.keyboard.type('"half":');
  await page.keyboard.press('Control+s');
  await page.getByText('It was not saved').waitFor();
  await page.getByText('● unsaved').waitFor();
  await page.getByRole('button', { name: 'Run', exact: true }).click();
  await page.getByText('It does not run yet').waitFor();
  const asked = new Promise(resolve =>
    page.once('dialog', async dialog => {
      await dialog.dismiss();
      resolve(dialog.message());
    }),
  );
  await page.getByRole('button', { name: 'JSON side by side' }).click();
  assert.match(await asked, /The JSON is no workflow yet/);
  await page.locator('.cm-content').focus();
  for (let left = '"half":'.length; left > 0; left -= 1) await page.keyboard.press('Backspace');
  await page.getByText('● unsaved').waitFor({ state: 'detached' });
  assert.equal(sent, 4);
  assert.deepEqual(page.faults, []);
});
