// Every way to give a run its pictures: files, several at once, the clipboard, an address, the camera, a sample.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { after, before, test } from 'node:test';
import { join } from 'node:path';
import { openPage, shoot, startBrowser } from './support/browser.mjs';
import { api, ROOT, startServer } from './support/server.mjs';

const SCENE = join(ROOT, 'examples/scene.jpg');
const STAR = join(ROOT, 'examples/star.jpg');

let server, browser, site, workflow;
before(async () => {
  // Pictures are fetched from public addresses only, unless the operator says otherwise.
  server = await startServer({ MILLRACE__IO__ALLOW_PRIVATE: 'true' });
  browser = await startBrowser(['--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream']);
  site = createServer((_, answer) =>
    answer.writeHead(200, { 'content-type': 'image/jpeg' }).end(readFileSync(STAR)),
  );
  await new Promise(resolve => site.listen(0, '127.0.0.1', resolve));
  workflow = await api(server, '/workflows', {
    name: 'pictures',
    nodes: [
      { id: 'photos', type: 'image_input', config: { list: true } },
      { id: 'answer', type: 'json_output', inputs: { photos: '$inputs.photos' } },
    ],
  });
});
after(async () => {
  site?.close();
  await browser?.close();
  await server?.stop();
});

/** The panel that starts a run, opened. */
async function openPanel(page) {
  await page.goto(`${server.url}/workflows/${workflow.id}`);
  await page.getByText('valid', { exact: true }).waitFor();
  await page.getByRole('button', { name: 'Run', exact: true }).click();
  const field = page.getByRole('region', { name: 'Input photos' });
  await field.waitFor();
  return field;
}

/** Runs it; the sizes of the pictures that it was given. */
async function sizes(page) {
  await page.locator('form').getByRole('button', { name: 'Run', exact: true }).click();
  await page.waitForURL(/\/executions\//);
  const id = new URL(page.url()).pathname.split('/').pop();
  await page.locator('[data-node=answer][data-status=completed]').waitFor({ timeout: 30_000 });
  const { outputs } = await api(server, `/executions/${id}`);
  return outputs.answer.photos.map(image => `${image.width}x${image.height}`);
}

test('several files at once, one of them taken out again', async () => {
  const page = await openPage(browser);
  const field = await openPanel(page);
  await field.locator('input[type=file]').setInputFiles([SCENE, STAR, SCENE]);
  await field.getByRole('button', { name: 'Remove scene.jpg' }).nth(1).click();
  await shoot(page, 'inputs-several');
  assert.deepEqual(await sizes(page), ['320x240', '150x150']);
  await page.getByRole('tab', { name: 'Outputs' }).click();
  await page.getByRole('button', { name: 'Picture 1 of answer.photos' }).click();
  await page.getByRole('dialog').locator('img').first().waitFor();
  assert.deepEqual(page.faults, []);
});

test('a picture from the clipboard, pasted anywhere, and one by its address', async () => {
  const page = await openPage(browser);
  const field = await openPanel(page);
  await page.evaluate(
    async bytes => {
      const transfer = new DataTransfer();
      transfer.items.add(new File([new Uint8Array(bytes)], 'pasted.jpg', { type: 'image/jpeg' }));
      document.activeElement?.dispatchEvent(
        new ClipboardEvent('paste', { clipboardData: transfer, bubbles: true, cancelable: true }),
      );
    },
    [...readFileSync(SCENE)],
  );
  await field.getByRole('img', { name: 'pasted.jpg' }).waitFor();
  await field.getByRole('button', { name: 'URL' }).click();
  const address = field.getByRole('textbox', { name: 'Address of the picture' });
  await address.fill('star.jpg');
  await address.press('Enter');
  await field.getByText('An address begins with http').waitFor();
  await address.fill(`http://127.0.0.1:${site.address().port}/star.jpg`);
  await address.press('Enter');
  await field.getByText('star.jpg').waitFor();
  await shoot(page, 'inputs-address');
  assert.deepEqual(await sizes(page), ['320x240', '150x150']);
  assert.deepEqual(page.faults, []);
});

test('a picture from the camera, and a sample', async () => {
  const page = await openPage(browser);
  const field = await openPanel(page);
  await field.getByRole('button', { name: 'Camera' }).click();
  const dialog = page.getByRole('dialog', { name: 'Camera' });
  await page.waitForFunction(() => (document.querySelector('video')?.videoWidth ?? 0) > 0);
  await shoot(page, 'inputs-camera');
  await dialog.getByRole('button', { name: 'Take the picture' }).click();
  await field.getByRole('img', { name: 'camera.jpg' }).waitFor();
  await field.getByRole('button', { name: 'Sample' }).click();
  await page.getByRole('menuitem', { name: 'star.jpg' }).click();
  await field.getByRole('img', { name: 'star.jpg' }).waitFor();
  const given = await sizes(page);
  assert.equal(given.length, 2);
  assert.match(given[0], /^\d+x\d+$/);
  assert.equal(given[1], '150x150');
  assert.deepEqual(page.faults, []);
});

/** Pictures on the page that the browser shows as broken. */
const brokenOn = page =>
  page.evaluate(
    () => [...document.images].filter(one => one.complete && one.src && one.naturalWidth === 0).length,
  );

test('pictures that are none, and pictures that are gone, are said to be so', async () => {
  const page = await openPage(browser, { allowed: [/404/] });
  const field = await openPanel(page);
  await field.locator('input[type=file]').setInputFiles([
    { name: 'notes.jpg', mimeType: 'image/jpeg', buffer: Buffer.from('no picture at all') },
    { name: 'star.jpg', mimeType: 'image/jpeg', buffer: readFileSync(STAR) },
  ]);
  await field.getByRole('img', { name: 'notes.jpg: cannot be shown' }).waitFor();
  assert.equal(await brokenOn(page), 0);
  await shoot(page, 'picture-none');
  await field.getByRole('button', { name: 'Remove notes.jpg' }).click();
  await page.route(/\/api\/v1\/blobs\/[0-9a-f]{64}(\/thumbnail.*)?$/, async route => {
    const type = (await route.request().headerValue('accept')) ?? '';
    return type.startsWith('image/') ? route.fulfill({ status: 404 }) : route.continue();
  });
  assert.deepEqual(await sizes(page), ['150x150']);
  await page.locator('[data-node=photos]').getByText('cannot be shown').waitFor();
  await shoot(page, 'picture-gone');
  await page.getByRole('tab', { name: 'Outputs' }).click();
  await page.getByRole('button', { name: 'Picture 0 of answer.photos' }).click();
  await page.getByRole('dialog').getByText('cannot be shown').waitFor();
  assert.equal(await brokenOn(page), 0);
  await shoot(page, 'picture-gone-viewer');
  assert.deepEqual(page.faults, []);
});

test('numbers as they are typed, and a switch that nobody touched', async () => {
  const parameter = (id, kind) => ({ id, type: 'parameter_input', config: { kind } });
  const numbers = await api(server, '/workflows', {
    name: 'given-values',
    nodes: [
      parameter('offset', 'integer'),
      parameter('bias', 'float'),
      parameter('mirrored', 'boolean'),
      {
        id: 'answer',
        type: 'json_output',
        inputs: { offset: '$inputs.offset', bias: '$inputs.bias', mirrored: '$inputs.mirrored' },
      },
    ],
  });
  const page = await openPage(browser);
  await page.goto(`${server.url}/workflows/${numbers.id}`);
  await page.getByRole('button', { name: 'Run', exact: true }).click();
  const type = async (name, text) => {
    await page.getByRole('dialog').getByRole('textbox', { name }).pressSequentially(text);
  };
  await type('offset', '-90');
  await page.getByText('It still needs bias.').waitFor();
  await type('bias', '-0.05');
  await page.locator('form').getByRole('button', { name: 'Run', exact: true }).click();
  await page.waitForURL(/\/executions\//);
  await page.locator('[data-node=answer][data-status=completed]').waitFor({ timeout: 30_000 });
  const { outputs } = await api(server, `/executions/${new URL(page.url()).pathname.split('/').pop()}`);
  assert.deepEqual(outputs.answer, { offset: -90, bias: -0.05, mirrored: false });
  assert.deepEqual(page.faults, []);
});

test('a picture lets a phone scroll past it, and is zoomed by two fingers and by keys', async () => {
  const page = await openPage(browser, { width: 390, height: 700 });
  const { execution_id: run } = await api(server, `/workflows/${workflow.id}/run?wait=30s`, {
    input: { photos: [`http://127.0.0.1:${site.address().port}/star.jpg`] },
  });
  await page.goto(`${server.url}/executions/${run}?tab=outputs`);
  await page.getByRole('button', { name: 'Picture 0 of answer.photos' }).click();
  const frame = page.getByRole('dialog').getByRole('group', { name: /the arrows move it/ });
  await frame.locator('img').waitFor();
  const box = await frame.boundingBox();
  const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
  const session = await page.context().newCDPSession(page);
  const touch = (type, ...points) =>
    session.send('Input.dispatchTouchEvent', {
      type,
      touchPoints: points.map(([left, top], id) => ({ x: left, y: top, id })),
    });
  const gestures = () => frame.evaluate(one => getComputedStyle(one).touchAction);
  const zoom = () =>
    frame.evaluate(one => new DOMMatrix(getComputedStyle(one.firstElementChild).transform).a);
  assert.equal(await gestures(), 'pan-y');
  await touch('touchStart', [x - 20, y], [x + 20, y]);
  for (const apart of [30, 40, 50, 60]) await touch('touchMove', [x - apart, y], [x + apart, y]);
  await touch('touchEnd');
  assert.ok((await zoom()) > 2, `two fingers zoomed by ${await zoom()}`);
  assert.equal(await gestures(), 'none');
  await shoot(page, 'picture-pinched');
  await frame.focus();
  await page.keyboard.press('0');
  assert.equal(await zoom(), 1);
  await page.keyboard.press('+');
  assert.equal(await zoom(), 1.5);
  await frame.getByRole('button', { name: 'Zoom out' }).click();
  assert.equal(await zoom(), 1);
  assert.deepEqual(page.faults, []);
});
