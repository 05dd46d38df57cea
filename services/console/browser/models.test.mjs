// The registry of models: registered from files of this machine and by address, looked at, replaced, taken out.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { join } from 'node:path';
import { openPage, serious, shoot, startBrowser } from './support/browser.mjs';
import { api, ROOT, startServer, upload } from './support/server.mjs';

const CLASSIFIER = join(ROOT, 'models/shapes-classifier');

let server, browser;
before(async () => {
  server = await startServer();
  browser = await startBrowser();
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

test('a model is registered from its files, runs, and is taken out again', async () => {
  const page = await openPage(browser);
  page.on('dialog', dialog => void dialog.accept());
  await page.goto(`${server.url}/models`);
  await page.getByRole('button', { name: 'Register a model' }).click();
  const dialog = page.getByRole('dialog', { name: 'Register a model' });
  await dialog.getByRole('textbox', { name: 'Name' }).fill('acme/parts');
  await dialog.getByRole('combobox', { name: 'Task' }).click();
  await page.getByRole('option', { name: 'classification' }).click();
  const choose = (label, path) =>
    dialog.locator(`input[data-origin="${label}"]`).setInputFiles(join(CLASSIFIER, path));
  await choose('ONNX file', 'onnx/model.onnx');
  assert.equal(await dialog.getByRole('textbox', { name: 'SHA-256' }).count(), 0, 'an upload has its digest');
  await choose('config.json', 'config.json');
  await choose('preprocessor_config.json', 'preprocessor_config.json');
  await dialog.getByRole('textbox', { name: 'Classes' }).fill('bolt\nnut\nwasher\nscrew');
  await shoot(page, 'model-new');
  await dialog.getByRole('button', { name: 'Register', exact: true }).click();
  await page.getByText('acme/parts is registered').waitFor();
  await dialog.waitFor({ state: 'detached' });

  const run = await api(server, '/executions?wait=60s', {
    workflow: {
      nodes: [
        { id: 'photo', type: 'image_input' },
        {
          id: 'sort',
          type: 'classification',
          inputs: { image: '$inputs.photo' },
          config: { model_id: 'acme/parts', model_source: 'trained' },
        },
        { id: 'answer', type: 'json_output', inputs: { top: '$nodes.sort.top_class' } },
      ],
    },
    input: { photo: await upload(server, 'star.jpg') },
  });
  assert.match(run.outputs.answer.top, /^(bolt|nut|washer|screw)$/);

  await page.getByRole('button', { name: 'acme/parts', exact: true }).click();
  const details = page.getByRole('dialog', { name: 'acme/parts' });
  await details.getByText('"model_source": "trained"').waitFor();
  await details.getByText('washer').waitFor();
  await details.getByText(/^blob:[0-9a-f]+/).waitFor();
  await page.reload();
  await details.getByText('washer').waitFor();
  await shoot(page, 'model-details');
  assert.deepEqual(await serious(page), []);
  await details.getByRole('button', { name: 'Delete' }).click();
  await page.getByText('acme/parts is no longer registered').waitFor();
  await details.waitFor({ state: 'detached' });
  const left = (await api(server, '/models')).models.find(model => model.model_id === 'acme/parts');
  assert.equal(left?.created_at, undefined);
  assert.deepEqual(page.faults, []);
});

test('a model that is run as plain tensors is told how a picture becomes one', async () => {
  const page = await openPage(browser);
  await page.goto(`${server.url}/models`);
  await page.getByRole('button', { name: 'Register a model' }).click();
  const dialog = page.getByRole('dialog', { name: 'Register a model' });
  const field = name => dialog.getByRole('textbox', { name, exact: true });
  await field('Name').fill('raw/shapes');
  const picture = dialog.getByRole('checkbox', { name: 'It takes a picture' });
  assert.equal(await picture.count(), 0, 'others say it themselves');
  await dialog.getByRole('combobox', { name: 'Task' }).click();
  await page.getByRole('option', { name: 'tensor' }).click();
  await picture.check();
  assert.equal(await field('Classes').count(), 0, 'they say nothing here');
  await dialog.locator('input[data-origin="ONNX file"]').setInputFiles(join(CLASSIFIER, 'onnx/model.onnx'));
  await dialog.getByRole('button', { name: 'Register', exact: true }).click();
  await dialog.getByRole('alert').getByText('width is a whole number of pixels').waitFor();
  await field('Width').fill('64');
  await field('Height').fill('64');
  await field('Mean').fill('[0.5, 0.5, 0.5]');
  await field('Standard deviation').fill('0.5 0.5 0.5');
  await shoot(page, 'model-tensor');
  assert.deepEqual(await serious(page), []);
  await dialog.getByRole('button', { name: 'Register', exact: true }).click();
  await page.getByText('raw/shapes is registered').waitFor();

  const image = await upload(server, 'star.jpg');
  const job = await api(server, '/inference/tensor?wait=60s', {
    model_id: 'raw/shapes',
    image,
    config: { model_source: 'trained' },
  });
  const [{ shape }] = Object.values(job.result.outputs);
  assert.deepEqual(shape, [1, 4]);
  assert.deepEqual(page.faults, []);
});

test('a dialog that was cancelled sends no more, and leaves the next one alone', async () => {
  const page = await openPage(browser);
  let [registered, uploads] = [0, 0];
  await page.route('**/api/v1/models', (route, request) => {
    if (request.method() === 'POST') registered += 1;
    return route.continue();
  });
  let answer;
  const answered = new Promise(resolve => (answer = resolve));
  await page.route('**/api/v1/blobs?for=model', async route => {
    uploads += 1;
    await answered;
    await route.fulfill({ json: { blob: 'a'.repeat(64) } }).catch(() => undefined);
  });
  await page.goto(`${server.url}/models`);
  const open = () => page.getByRole('button', { name: 'Register a model' }).click();
  const dialog = page.getByRole('dialog', { name: 'Register a model' });
  const name = dialog.getByRole('textbox', { name: 'Name' });
  await open();
  await name.fill('given/up');
  await dialog.locator('input[data-origin="ONNX file"]').setInputFiles(join(CLASSIFIER, 'onnx/model.onnx'));
  const sent = page.waitForRequest('**/api/v1/blobs?for=model');
  await dialog.getByRole('button', { name: 'Register', exact: true }).click();
  await sent;
  const stopped = page.waitForEvent('requestfailed');
  await dialog.getByRole('button', { name: 'Cancel' }).click();
  assert.match((await stopped).url(), /\/blobs\?for=model$/);
  await dialog.waitFor({ state: 'detached' });
  await open();
  await name.fill('the next');
  answer();
  await dialog.getByRole('textbox', { name: 'Classes' }).fill('{0: \'bolt\', 1: "nut"}');
  await dialog.getByRole('textbox', { name: 'ONNX file' }).fill('https://models.example/far.onnx');
  await dialog.getByRole('button', { name: 'Register', exact: true }).click();
  await dialog.getByRole('alert').getByText('The classes look like JSON and are none').waitFor();
  assert.equal(await name.inputValue(), 'the next');
  assert.deepEqual([registered, uploads], [0, 1]);
  assert.deepEqual(page.faults, []);
});

test('a model is registered by its address, replaced knowingly, and refused with what is wrong', async () => {
  const page = await openPage(browser, { allowed: [/422/, /409/] });
  await page.goto(`${server.url}/models`);
  const open = () => page.getByRole('button', { name: 'Register a model' }).click();
  const dialog = page.getByRole('dialog', { name: 'Register a model' });
  const field = name => dialog.getByRole('textbox', { name });
  await open();
  await field('Name').fill('far');
  await field('ONNX file').fill('models.example/far.onnx');
  await field('SHA-256').fill('ab'.repeat(32));
  await dialog.getByRole('button', { name: 'Register', exact: true }).click();
  await dialog.getByRole('alert').getByText('blob:<sha256>').waitFor();
  await field('ONNX file').fill('https://models.example/far.onnx');
  await dialog.getByRole('button', { name: 'Register', exact: true }).click();
  await page.getByRole('button', { name: 'far', exact: true }).waitFor();
  const { checkpoint, sha256 } = await api(server, '/models/far');
  assert.deepEqual([checkpoint, sha256], ['https://models.example/far.onnx', 'ab'.repeat(32)]);

  await open();
  await field('Name').fill('far');
  await dialog.getByText('It is registered already').waitFor();
  await dialog.getByRole('button', { name: 'Replace it' }).waitFor();
  await field('Name').fill('shapes-detector');
  await field('ONNX file').fill('https://models.example/far.onnx');
  await dialog.getByRole('button', { name: 'Register', exact: true }).click();
  await dialog.getByRole('alert').getByText('choose another name').waitFor();
  await dialog.getByRole('button', { name: 'Cancel' }).click();

  await page.getByRole('button', { name: 'shapes-detector', exact: true }).click();
  const details = page.getByRole('dialog', { name: 'shapes-detector' });
  await details.getByText('remove its folder there').waitFor();
  assert.equal(await details.getByRole('button', { name: 'Delete' }).count(), 0);
  assert.deepEqual(page.faults, []);
});
