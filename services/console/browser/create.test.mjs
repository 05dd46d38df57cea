// The first thing anybody does: a workflow drawn by hand, run on a picture, its boxes seen.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { join } from 'node:path';
import { openPage, shoot, startBrowser } from './support/browser.mjs';
import { addBlock, connect, port } from './support/canvas.mjs';
import { ROOT, startServer } from './support/server.mjs';

let server, browser;
before(async () => {
  server = await startServer();
  browser = await startBrowser();
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

// A definition that is not valid yet is answered 422, and the browser notes every such answer.
const HALF_DRAWN = [/422.*\/workflows\/validate/];

test('a detection workflow is drawn by hand, run, and shows its boxes', async () => {
  const page = await openPage(browser, { width: 1720, height: 1000, allowed: HALF_DRAWN });
  await page.goto(`${server.url}/workflows/new`);
  await page.getByText('An empty canvas').waitFor();
  await addBlock(page, 'image_input', 140, 140);
  await addBlock(page, 'detection', 450, 120);
  await addBlock(page, 'draw_boxes', 450, 420);
  await addBlock(page, 'json_output', 780, 260);

  await connect(page, port('photo', 'out:image'), port('detect', 'in:inputs/image'));
  await connect(page, port('photo', 'out:image'), port('draw', 'in:inputs/image'));
  await connect(page, port('detect', 'out:detections'), port('draw', 'in:inputs/detections'));
  await connect(page, port('draw', 'out:image'), port('answer', 'in:inputs/+'));
  await connect(page, port('detect', 'out:count'), port('answer', 'in:inputs/+'));
  await page.locator('.react-flow__edge').nth(4).waitFor({ state: 'attached' });
  assert.equal(await page.locator('.react-flow__edge').count(), 5);
  // An image is no text: such a wire is not taken.
  await connect(page, port('photo', 'out:image'), port('draw', 'in:inputs/detections'));
  assert.equal(await page.locator('.react-flow__edge').count(), 5);

  await page.locator('[data-node=detect] header').click();
  await page.getByRole('combobox', { name: 'model', exact: true }).fill('shapes-detector');
  await page.keyboard.press('Escape');
  await page.getByText('valid', { exact: true }).waitFor();
  await page.getByRole('textbox', { name: 'Name of the workflow' }).fill('drawn-by-hand');
  await page.keyboard.press('Control+s');
  await page.waitForURL(/\/workflows\/[0-9a-f-]{36}$/);
  await shoot(page, 'editor');

  await page.getByRole('button', { name: 'Run', exact: true }).click();
  await page.locator('input[type=file][data-input=photo]').setInputFiles(join(ROOT, 'examples/scene.jpg'));
  await shoot(page, 'run-panel');
  await page.locator('form').getByRole('button', { name: 'Run', exact: true }).click();
  await page.waitForURL(/\/executions\//);
  await page.locator('[data-node=answer][data-status=completed]').waitFor({ timeout: 30_000 });
  await page.locator('[data-node=draw] img').waitFor();
  await page.waitForTimeout(300);
  await shoot(page, 'execution');

  await page.locator('[data-node=detect]').click();
  await page.getByRole('button', { name: 'On the picture' }).click();
  const boxes = page.locator('[role=dialog] svg g');
  await boxes.first().waitFor();
  assert.ok((await boxes.count()) >= 3, 'the scene has shapes on it');
  await shoot(page, 'viewer');
  const all = await boxes.count();
  await page
    .locator('[role=dialog]')
    .getByRole('group', { name: 'Classes' })
    .getByRole('button')
    .first()
    .click();
  assert.ok((await boxes.count()) < all, 'a class that is switched off has no boxes');
  assert.deepEqual(page.faults, []);
});

/** A place on a wire, nearer to its end: wires from one port lie together at first. */
function placeOn(page, id) {
  return page.locator(`.react-flow__edge[data-id="${id}"] .react-flow__edge-path`).evaluate(path => {
    const at = path.getPointAtLength(path.getTotalLength() * 0.8);
    const { x, y } = new DOMPoint(at.x, at.y).matrixTransform(path.getScreenCTM());
    return [x, y];
  });
}

test('a wire is chosen, moved and taken away, one step of undo at a time', async () => {
  const page = await openPage(browser, { width: 1720, height: 1000, allowed: HALF_DRAWN });
  await page.goto(`${server.url}/workflows`);
  await page.getByRole('button', { name: /^detect-shapes/ }).click();
  await page.locator('.react-flow__node').nth(4).waitFor();
  const wires = page.locator('.react-flow__edge');
  const wire = id => page.locator(`.react-flow__edge[data-id="${id}"]`);
  const count = number =>
    page.waitForFunction(wanted => document.querySelectorAll('.react-flow__edge').length === wanted, number);
  const undo = () => page.getByRole('button', { name: 'Undo' }).click();
  await wires.first().waitFor({ state: 'attached' });
  const all = await wires.count();
  await page.mouse.click(...(await placeOn(page, 'draw/inputs/detections')));
  await page.locator('.react-flow__edge.selected[data-id="draw/inputs/detections"]').waitFor();
  await shoot(page, 'wire-selected');
  await page.keyboard.press('Delete');
  await count(all - 1);
  assert.equal(await wire('draw/inputs/detections').count(), 0);
  await undo();
  await count(all);
  assert.ok(await page.getByRole('button', { name: 'Undo' }).isDisabled(), 'it was one step');

  // A node goes with its wires, and comes back with them.
  await page.locator('[data-node=draw] header').click();
  await page.keyboard.press('Delete');
  await page.waitForFunction(() => document.querySelectorAll('.react-flow__node').length === 4);
  await undo();
  await count(all);
  assert.ok(await page.getByRole('button', { name: 'Undo' }).isDisabled(), 'it was one step');
  // What is deleted is no longer selected: the form shows the next one that is.
  await page.locator('[data-node=detect] header').click();
  await page.getByRole('textbox', { name: 'Name', exact: true }).waitFor();

  // Nothing selected is nothing to duplicate: what was undone can still be done again.
  await page.locator('.react-flow__pane').click({ position: { x: 40, y: 40 } });
  await page.keyboard.press('Control+d');
  assert.ok(await page.getByRole('button', { name: 'Redo' }).isEnabled(), 'the redo is still there');

  // Pulled off one port and put on another.
  await page.mouse.click(...(await placeOn(page, 'draw/inputs/detections')));
  await page.locator('.react-flow__edge.selected').waitFor();
  await connect(
    page,
    '.react-flow__edge.selected .react-flow__edgeupdater-target',
    port('answer', 'in:inputs/+'),
  );
  await wire('draw/inputs/detections').waitFor({ state: 'detached' });
  assert.equal(await wires.count(), all);
  await undo();
  await wire('draw/inputs/detections').waitFor({ state: 'attached' });
  assert.deepEqual(page.faults, []);
});

test('a broken field is marked where it is, and undo mends it', async () => {
  const page = await openPage(browser, { allowed: HALF_DRAWN });
  await page.goto(`${server.url}/workflows`);
  await page.getByRole('button', { name: /detect-and-filter/ }).click();
  await page.getByText('valid', { exact: true }).waitFor();
  await page.locator('.react-flow__node [data-node=detect] header').click();
  const confidence = page.locator('[data-field=confidence]');
  await confidence.getByRole('textbox').fill('7');
  await confidence.getByText(/most allowed/).waitFor();
  await page.locator('.react-flow__node [data-node=detect][data-faulty]').waitFor();
  await page.getByRole('button', { name: '1 problem' }).waitFor();
  await shoot(page, 'broken-field');
  await page.getByRole('button', { name: 'Undo' }).click();
  await page.getByText('valid', { exact: true }).waitFor();
  assert.equal(await page.locator('[data-faulty]').count(), 0);

  // The JSON beside the canvas is the same document.
  await page.getByRole('button', { name: 'JSON side by side' }).click();
  await page.locator('.cm-content').getByText('"detect-and-filter"').waitFor();
  await shoot(page, 'editor-json');
  assert.deepEqual(page.faults, []);
});

test('nodes are copied, pasted, undone, and laid out', async () => {
  const page = await openPage(browser, { allowed: HALF_DRAWN });
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  await page.goto(`${server.url}/workflows`);
  await page.getByRole('button', { name: /^detect-shapes/ }).click();
  const nodes = page.locator('.react-flow__node');
  await nodes.nth(4).waitFor();
  await page.locator('[data-node=draw] header').click();
  await page.keyboard.press('Control+c');
  await page.keyboard.press('Control+v');
  await page.locator('[data-node=draw_2]').waitFor();
  assert.equal(await nodes.count(), 6);
  await page.keyboard.press('Delete');
  await page.waitForFunction(() => document.querySelectorAll('.react-flow__node').length === 5);
  await page.keyboard.press('Control+z');
  await page.locator('[data-node=draw_2]').waitFor();
  const place = () => page.locator('[data-id=answer]').getAttribute('style');
  const before = await place();
  await page.getByRole('button', { name: 'Lay out' }).click();
  await page.waitForFunction(
    old => document.querySelector('[data-id=answer]')?.getAttribute('style') !== old,
    before,
  );
  assert.deepEqual(page.faults, []);
});
