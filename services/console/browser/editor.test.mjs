// The editor's forms, keys and places: what is typed is what it becomes, and nothing happens unseen.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { openPage, shoot, startBrowser } from './support/browser.mjs';
import { port } from './support/canvas.mjs';
import { api, startServer, until } from './support/server.mjs';
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

// A definition that is not valid yet is answered 422, and the browser notes every such answer.
const HALF_DRAWN = [/422.*\/workflows\/validate/];

const nodes = page => page.locator('.react-flow__node');
const nodeOf = (definition, id) => definition.nodes.find(node => node.id === id);
const newest = async workflow => (await api(server, `/workflows/${workflow.id}`)).definition;
const savedAs = (page, number) => page.getByText(`Saved as version ${number}`).waitFor();

/** Where each node is drawn. */
function places(page) {
  return page
    .locator('.react-flow__node')
    .evaluateAll(all => Object.fromEntries(all.map(one => [one.dataset.id, one.style.transform])));
}

/** A check of a number, and what came of it. */
const check = {
  name: 'check',
  nodes: [
    { id: 'list', type: 'parameter_input', config: { kind: 'list<float>' } },
    { id: 'sum', type: 'aggregation', inputs: { items: '$inputs.list' } },
    { id: 'check', type: 'condition', inputs: { value: 1 }, config: { if: 'value > 0' } },
    { id: 'answer', type: 'json_output', inputs: { sum: '$nodes.sum.result' } },
  ],
};

test('what is typed into an input is what it becomes, by the keyboard alone', async () => {
  const page = await openPage(browser, { allowed: HALF_DRAWN });
  const workflow = await api(server, '/workflows', check);
  await page.goto(`${server.url}/workflows/${workflow.id}`);
  await page.locator('.react-flow__node [data-node=check] header').click();
  // A browser that says it is offline may still reach a server on its own machine.
  await page.evaluate(() => window.dispatchEvent(new Event('offline')));
  const value = page.getByRole('combobox', { name: 'Input value' });
  const type = async text => {
    await value.fill('');
    await value.pressSequentially(text);
    assert.equal(await value.inputValue(), text);
  };
  let version = 1;
  for (const [text, key, meant] of [
    ['-0.5', 'Enter', -0.5],
    ['true story', 'Tab', 'true story'],
    ['1.05', 'Control+s', 1.05],
  ]) {
    await type(text);
    await page.keyboard.press(key);
    if (key !== 'Control+s') await page.keyboard.press('Control+s');
    await savedAs(page, (version += 1));
    assert.equal(nodeOf(await newest(workflow), 'check').inputs.value, meant);
  }

  await page.getByRole('textbox', { name: 'Name of the new input' }).fill('limit');
  await page.keyboard.press('Tab');
  await page.keyboard.type('$nodes.sum.re');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  await page.getByRole('combobox', { name: 'Input limit' }).waitFor();
  const name = page.getByRole('textbox', { name: 'Name of input limit' });
  await name.fill('value');
  await page.getByText('Another input has this name').waitFor();
  await name.fill('most');
  await page.keyboard.press('Enter');
  await page.getByRole('combobox', { name: 'Input most' }).waitFor();
  await shoot(page, 'further-inputs');

  await page.locator('.react-flow__node [data-node=sum] header').click();
  await page.locator('[data-field=functions] input').first().click();
  await page.getByRole('option', { name: /^p95/ }).click();
  await page.keyboard.press('Escape');
  await page.keyboard.press('Control+s');
  await savedAs(page, version + 1);
  const { inputs } = nodeOf(await newest(workflow), 'check');
  assert.deepEqual(inputs, { value: 1.05, most: '$nodes.sum.result' });
  assert.deepEqual(nodeOf(await newest(workflow), 'sum').config.functions, ['p95']);
  assert.deepEqual(page.faults, []);
});

test('a source that is chosen by the keyboard is one wire, also where it is the one that was there', async () => {
  const page = await openPage(browser, { allowed: HALF_DRAWN });
  const nodes = check.nodes.map(node =>
    node.id === 'check' ? { ...node, inputs: { value: '$nodes.sum.result' } } : node,
  );
  const workflow = await api(server, '/workflows', { ...check, nodes });
  await page.goto(`${server.url}/workflows/${workflow.id}`);
  await page.locator('.react-flow__node [data-node=check] header').click();
  const choose = async label => {
    await page.getByRole('combobox', { name: label }).fill('');
    await page.getByRole('combobox', { name: label }).pressSequentially('sum.re');
    await page.getByRole('option', { name: '$nodes.sum.result' }).waitFor();
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
  };
  await choose('Source of the new input');
  await page.getByRole('combobox', { name: 'Input result' }).waitFor();
  await choose('Input value');
  assert.equal(await page.getByRole('combobox', { name: 'Input value' }).inputValue(), '$nodes.sum.result');
  await page.keyboard.press('Control+s');
  await savedAs(page, 2);
  const source = '$nodes.sum.result';
  assert.deepEqual(nodeOf(await newest(workflow), 'check').inputs, { value: source, result: source });
  assert.deepEqual(page.faults, []);
});

test('the workflow that is called may be written by its id, and half a name is none', async () => {
  const page = await openPage(browser, { allowed: HALF_DRAWN });
  const ids = [];
  for (const name of ['called-first', 'called-second', 'called-third'])
    ids.push((await api(server, '/workflows', { ...chain(2), name })).id);
  const workflow = await api(server, '/workflows', {
    name: 'caller',
    nodes: [{ id: 'call', type: 'sub_workflow', config: { workflow: ids[2] } }],
  });
  await page.goto(`${server.url}/workflows/${workflow.id}`);
  await page.locator('.react-flow__node [data-node=call] header').click();
  const field = page.locator('[data-field=workflow]').getByRole('combobox');
  let version = 1;
  for (const [id, key] of [
    [ids[0], 'Enter'],
    [ids[1], 'Tab'],
    [ids[2], 'Control+s'],
  ]) {
    await field.fill(id);
    await page.keyboard.press(key);
    if (key !== 'Control+s') await page.keyboard.press('Control+s');
    await savedAs(page, (version += 1));
    assert.equal(nodeOf(await newest(workflow), 'call').config.workflow, id);
  }
  await page.waitForFunction(input => input.value.startsWith('called-third'), await field.elementHandle());
  await field.fill('called');
  await page.keyboard.press('Tab');
  await page.waitForFunction(input => input.value.startsWith('called-third'), await field.elementHandle());
  assert.equal(await page.getByText('● unsaved').count(), 0);
  assert.deepEqual(page.faults, []);
});

test('every wire is drawn: from calls, from all outputs at once, and to parts of settings', async () => {
  const page = await openPage(browser, { allowed: HALF_DRAWN });
  const child = { ...check, nodes: check.nodes.filter(node => node.id !== 'check') };
  const [first, second] = [
    await api(server, '/workflows', { ...child, name: 'first-called' }),
    await api(server, '/workflows', { ...child, name: 'second-called' }),
  ];
  await api(
    server,
    `/workflows/${second.id}`,
    { ...child, name: 'second-called', timeout_ms: 60_000 },
    'PUT',
  );
  const workflow = await api(server, '/workflows', {
    name: 'many-wires',
    nodes: [
      { id: 'list', type: 'parameter_input', config: { kind: 'list<float>' } },
      { id: 'tag', type: 'parameter_input', config: { kind: 'string' } },
      {
        id: 'call',
        type: 'sub_workflow',
        inputs: { list: '$inputs.list' },
        config: { workflow: first.id },
      },
      {
        id: 'hook',
        type: 'webhook',
        inputs: { payload: '$nodes.call.*' },
        config: { url: 'http://127.0.0.1:9/', headers: { 'x-tag': '$inputs.tag' } },
      },
      {
        id: 'answer',
        type: 'json_output',
        inputs: { sum: '$nodes.call.sum', again: '$nodes.call.answer.sum' },
      },
    ],
  });
  await page.goto(`${server.url}/workflows/${workflow.id}`);
  const wires = page.locator('.react-flow__edge');
  const drawn = count => until(`${count} wires`, async () => (await wires.count()) === count);
  await drawn(5);
  await shoot(page, 'many-wires');

  // Of a workflow that was chosen and not saved yet the ports are offered as well.
  await page.locator('.react-flow__node [data-node=hook] header').click();
  await page.getByRole('button', { name: 'Remove the node' }).click();
  await page.locator('.react-flow__node [data-node=answer] header').click();
  await page.getByRole('button', { name: 'Remove the node' }).click();
  await drawn(1);
  await page.locator('.react-flow__node [data-node=call] header').click();
  await page.getByRole('combobox', { name: 'Input list' }).waitFor();
  assert.equal(await page.getByRole('textbox', { name: 'Name of input list' }).count(), 0);
  const field = page.locator('[data-field=workflow]').getByRole('combobox');
  await field.fill(second.id);
  await page.keyboard.press('Enter');
  await page.locator(port('call', 'out:sum')).waitFor();
  await page.getByRole('textbox', { name: 'Name', exact: true }).fill('called');
  await page.keyboard.press('Control+s');
  await savedAs(page, 2);
  const saved = await newest(workflow);
  assert.deepEqual(nodeOf(saved, 'called').config, { workflow: second.id, version: 2 });
  await page.locator(port('called', 'out:sum')).waitFor();
  assert.deepEqual(page.faults, []);
});

/** The wires that do not end at the port where the document says. */
function astray(page) {
  return page.locator('.react-flow__edge').evaluateAll(wires => {
    const middle = ({ top, height }) => top + height / 2;
    return wires.flatMap(wire => {
      const [node, ...place] = wire.dataset.id.split('/');
      const handle = `[data-id="${node}"] [data-handleid="in:${place.slice(0, 2).join('/')}"]`;
      const path = wire.querySelector('.react-flow__edge-path');
      const end = path.getPointAtLength(path.getTotalLength()).matrixTransform(path.getScreenCTM());
      const port = document.querySelector(handle)?.getBoundingClientRect();
      return port && Math.abs(middle(port) - end.y) < 3 ? [] : [wire.dataset.id];
    });
  });
}

/** Waits until this many wires are drawn, each to its port. */
const drawnRight = (page, count) =>
  until(`${count} wires at their ports`, async () => {
    const some = await page.locator('.react-flow__edge').count();
    return some === count && (await astray(page)).length === 0;
  });

test('wires follow the ports of a box that is as large as before', async () => {
  const page = await openPage(browser, { allowed: HALF_DRAWN });
  const workflow = await api(server, '/workflows', {
    name: 'moving-ports',
    nodes: [
      { id: 'photo', type: 'image_input' },
      { id: 'min', type: 'parameter_input', config: { kind: 'float' } },
      {
        id: 'detect',
        type: 'detection',
        inputs: { image: '$inputs.photo' },
        config: { model_id: 'shapes-detector' },
      },
      {
        id: 'draw',
        type: 'draw_boxes',
        inputs: { image: '$inputs.photo', detections: '$nodes.detect.detections' },
      },
      { id: 'answer', type: 'json_output', inputs: { picture: '$nodes.draw.image' } },
    ],
  });
  await page.goto(`${server.url}/workflows/${workflow.id}`);
  await drawnRight(page, 4);
  // A row in the shorter column, which a setting gets.
  await page.locator('.react-flow__node [data-node=detect] header').click();
  await page
    .locator('[data-field=confidence]')
    .getByRole('button', { name: /from another node/ })
    .click();
  await page.getByRole('menuitem').filter({ hasText: '$inputs.min' }).click();
  await drawnRight(page, 5);
  await page.locator('.react-flow__node [data-node=answer] header').click();
  const name = page.getByRole('textbox', { name: 'Name of input picture' });
  await name.fill('shown');
  await name.press('Enter');
  await page.locator(port('answer', 'in:inputs/shown')).waitFor();
  await drawnRight(page, 5);
  // All outputs at once are a port of their own.
  const source = page.getByRole('combobox', { name: 'Source of the new input' });
  await source.fill('$nodes.draw.*');
  await source.press('Enter');
  await drawnRight(page, 6);
  assert.deepEqual(page.faults, []);
});

test('wires follow the ports of a call whose workflow is read late', async () => {
  const page = await openPage(browser, { allowed: HALF_DRAWN });
  const number = id => ({ id, type: 'parameter_input', config: { kind: 'float' } });
  const called = await api(server, '/workflows', {
    name: 'called',
    nodes: [
      number('a'),
      number('b'),
      { id: 'answer', type: 'json_output', inputs: { a: '$inputs.a', b: '$inputs.b' } },
    ],
  });
  const call = { id: 'call', type: 'sub_workflow', config: { workflow: called.id } };
  const workflow = await api(server, '/workflows', {
    name: 'caller',
    nodes: [number('x'), number('y'), { ...call, inputs: { b: '$inputs.y', a: '$inputs.x' } }],
  });
  // As before the save, which brings the called workflow along.
  let read;
  const isAsked = new Promise(resolve => (read = resolve));
  await page.route(`**/api/v1/workflows/${workflow.id}`, async route => {
    const record = await (await route.fetch()).json();
    delete record.definition.workflows;
    const placed = record.definition.nodes.find(node => node.id === 'call');
    Object.assign(placed, { config: call.config, inputs: { b: '$inputs.y', a: '$inputs.x' } });
    await route.fulfill({ json: record });
  });
  await page.route(`**/api/v1/workflows/${called.id}`, async route => {
    await isAsked;
    await route.continue();
  });
  const rows = () =>
    page
      .locator('.react-flow__node [data-node=call] .react-flow__handle.target')
      .evaluateAll(all => all.map(one => one.dataset.handleid.slice(-1)).join(''));
  await page.goto(`${server.url}/workflows/${workflow.id}`);
  await drawnRight(page, 2);
  assert.equal(await rows(), 'ba+');
  read();
  await until('the ports of the workflow that is called', async () => (await rows()) === 'ab+');
  await drawnRight(page, 2);
  assert.deepEqual(page.faults, []);
});

test('nodes with names that every object knows', async () => {
  const page = await openPage(browser, { allowed: HALF_DRAWN });
  const definition = {
    name: 'odd-names',
    nodes: [
      { id: 'constructor', type: 'parameter_input', config: { kind: 'integer', default: 3 } },
      { id: '__proto__', type: 'delay', inputs: { value: '$inputs.constructor' }, config: { ms: 1 } },
      { id: 'toString', type: 'json_output', inputs: { constructor: '$nodes.__proto__.value' } },
    ],
  };
  const workflow = await api(server, '/workflows', definition);
  await page.goto(`${server.url}/workflows/${workflow.id}`);
  await nodes(page).nth(2).waitFor();
  await page.locator('.react-flow__node[data-id=toString] header').click();
  await page.getByRole('textbox', { name: 'Name of input constructor' }).waitFor();
  const drawn = await nodes(page).evaluateAll(all => all.map(one => one.style.transform));
  assert.equal(new Set(drawn).size, 3);
  assert.doesNotMatch(drawn.join(), /NaN/);
  await page.getByRole('button', { name: 'Run', exact: true }).click();
  await page.locator('form').getByRole('button', { name: 'Run', exact: true }).click();
  await page.waitForURL(/\/executions\//);
  await page.locator('[data-node=toString][data-status=completed]').waitFor({ timeout: 30_000 });
  assert.equal(await nodes(page).count(), 3);
  assert.deepEqual(page.faults, []);
});

test('without saved places nothing jumps, and copies lie beside each other', async () => {
  const page = await openPage(browser, { width: 1720, height: 1000, allowed: HALF_DRAWN });
  await page.goto(`${server.url}/workflows`);
  await page.getByRole('button', { name: /^detect-shapes/ }).click();
  await nodes(page).nth(4).waitFor();
  const before = await places(page);
  await page.locator('.react-flow__node [data-node=draw] header').click();
  await page.keyboard.press('Control+d');
  await page.locator('.react-flow__node[data-id=draw_2]').waitFor();
  await page.keyboard.press('Control+d');
  await page.locator('.react-flow__node[data-id=draw_3]').waitFor();
  const { draw_2: one, draw_3: other, ...rest } = await places(page);
  assert.deepEqual(rest, before);
  const at = transform => transform.match(/-?[\d.]+(?=px)/g).map(Number);
  const [x, y] = at(before.draw);
  assert.deepEqual(
    [at(one), at(other)],
    [
      [x + 40, y + 40],
      [x + 80, y + 80],
    ],
  );
  await page.keyboard.press('Delete');
  await page.waitForFunction(() => document.querySelectorAll('.react-flow__node').length === 6);
  assert.deepEqual(await places(page), { ...before, draw_2: one });

  // What cannot be pasted is told.
  await page.evaluate(() => {
    const clipboardData = new DataTransfer();
    clipboardData.setData('text/plain', '{"nodes": [null]}');
    document.body.dispatchEvent(new ClipboardEvent('paste', { clipboardData, bubbles: true }));
  });
  await page.getByText('It was not pasted').waitFor();
  assert.deepEqual(page.faults, []);
});

test('keys are not the canvas’s while a dialog lies over it, and a run starts once', async () => {
  const page = await openPage(browser, { allowed: HALF_DRAWN });
  const workflow = await api(server, '/workflows', {
    name: 'under-a-dialog',
    nodes: [
      { id: 'start', type: 'parameter_input', config: { kind: 'integer', default: 1 } },
      { id: 'answer', type: 'json_output', inputs: { start: '$inputs.start' } },
    ],
  });
  await page.goto(`${server.url}/workflows/${workflow.id}`);
  await page.locator('.react-flow__node [data-node=start] header').click();
  await page.getByRole('button', { name: 'Run', exact: true }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('button', { name: 'How it runs' }).focus();
  for (const key of ['Control+d', 'Backspace', 'Delete', 'Control+a', 'l']) await page.keyboard.press(key);
  await page.keyboard.press('Escape');
  await dialog.waitFor({ state: 'detached' });
  assert.equal(await nodes(page).count(), 2);
  assert.ok(await page.getByRole('button', { name: 'Undo' }).isDisabled(), 'nothing was changed');

  let started = 0;
  await page.route(/\/workflows\/[^/]+\/run\?/, (route, request) => {
    if (request.method() === 'POST') started += 1;
    return route.continue();
  });
  await page.getByRole('button', { name: 'Run', exact: true }).click();
  await page.locator('form').evaluate(form => {
    form.requestSubmit();
    form.requestSubmit();
  });
  await page.waitForURL(/\/executions\//);
  assert.equal(started, 1);
  assert.deepEqual(page.faults, []);
});

test('a part that does not load leaves the rest as it is, and comes when it is asked for again', async () => {
  const page = await openPage(browser, {
    allowed: [...HALF_DRAWN, /RunPanel|ERR_FAILED|dynamically imported/],
  });
  const workflow = await api(server, '/workflows', check);
  await page.route(/\/assets\/RunPanel/, route => route.abort());
  await page.goto(`${server.url}/workflows/${workflow.id}`);
  await nodes(page).nth(3).waitFor();
  await page.getByRole('textbox', { name: 'Name of the workflow' }).fill('not lost');
  await page.getByRole('button', { name: 'Run', exact: true }).click();
  await page.getByText('This part of the page could not be shown').waitFor();
  await shoot(page, 'part-failed');
  await page.getByText('● unsaved').waitFor();
  assert.equal(await nodes(page).count(), 4);
  await page.unroute(/\/assets\/RunPanel/);
  await page.getByRole('button', { name: 'Try again' }).click();
  await page.getByRole('dialog', { name: 'Run not lost' }).waitFor();
  assert.deepEqual(page.faults, []);
});

test('what lies over every page takes no page away when it does not load', async () => {
  const page = await openPage(browser, {
    allowed: [...HALF_DRAWN, /CommandPalette|ShortcutList|ERR_FAILED|dynamically imported/],
  });
  const workflow = await api(server, '/workflows', check);
  await page.route(/\/assets\/(CommandPalette|ShortcutList)/, route => route.abort());
  await page.goto(`${server.url}/workflows/${workflow.id}`);
  await nodes(page).nth(3).waitFor();
  const failed = page.getByText('This part of the page could not be shown');
  for (const keys of ['Control+k', 'Shift+?']) {
    await page.keyboard.press(keys);
    await failed.waitFor();
    assert.equal(await nodes(page).count(), 4);
    await page.getByRole('button', { name: 'Close', exact: true }).click();
    await failed.waitFor({ state: 'detached' });
  }
  await page.unroute(/\/assets\/(CommandPalette|ShortcutList)/);
  await page.getByRole('button', { name: 'Shortcuts' }).click();
  await page.getByRole('button', { name: 'Try again' }).click();
  await page.getByRole('dialog', { name: 'Keyboard shortcuts' }).waitFor();
  await page.keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  assert.deepEqual(page.faults, []);
});

test('where there is no room beside the canvas the palette is a sheet', async () => {
  const page = await openPage(browser, { width: 800, height: 900, allowed: HALF_DRAWN });
  await page.goto(`${server.url}/workflows/new`);
  await page.getByRole('button', { name: 'Add', exact: true }).click();
  const palette = page.getByRole('complementary', { name: 'Palette' });
  await palette.getByRole('textbox', { name: 'Search blocks' }).fill('map');
  await shoot(page, 'palette-sheet');
  await page.keyboard.press('Enter');
  await palette.waitFor({ state: 'hidden' });
  assert.match(await nodes(page).first().textContent(), /Map/);
  assert.doesNotMatch(await nodes(page).first().textContent(), /Heat/);
  assert.deepEqual(page.faults, []);
});

test('a detection without a sound confidence is shown like the others', async () => {
  const page = await openPage(browser);
  const workflow = {
    nodes: [
      { id: 'given', type: 'parameter_input', config: { kind: 'object' } },
      { id: 'answer', type: 'json_output', inputs: { given: '$inputs.given' } },
    ],
  };
  const box = { bbox: [10, 10, 40, 40], class_id: 1 };
  const items = [
    { ...box, confidence: null },
    { ...box, class_name: 'star', confidence: 'high' },
  ];
  const given = { image_id: 'a'.repeat(64), width: 64, height: 64, items };
  const run = await api(server, '/executions?wait=30s', { workflow, input: { given } });
  await page.goto(`${server.url}/executions/${run.execution_id}?tab=outputs`);
  await page.getByText('2 found').first().waitFor();
  assert.deepEqual(page.faults, []);
});

test('on a tablet the workflow has its own form, and what is told of it can be read', async () => {
  const page = await openPage(browser, { width: 820, height: 1000, allowed: HALF_DRAWN });
  const unread = { id: 'unread', type: 'parameter_input', config: { kind: 'float' } };
  const workflow = await api(server, '/workflows', { ...check, nodes: [...check.nodes, unread] });
  await page.goto(`${server.url}/workflows/${workflow.id}`);
  await page.getByRole('button', { name: /warning/ }).waitFor();
  await page.locator('.react-flow__node [data-node=unread][data-faulty=mild]').waitFor();
  await shoot(page, 'warnings-tablet');

  const choose = async item => {
    await page.getByRole('button', { name: 'More' }).click();
    await page.getByRole('menuitem', { name: item }).click();
  };
  await choose('Workflow settings');
  await page.getByText('nothing reads the input').waitFor();
  await page.getByRole('textbox', { name: 'A run may take, ms' }).fill('9999999999');
  await page.getByRole('button', { name: 'Close the settings' }).click();
  await page.getByRole('button', { name: '1 problem' }).click();
  await page.getByRole('region', { name: 'Problems' }).waitFor();
  await shoot(page, 'problems-tablet');
  await page.getByRole('button', { name: 'Close the settings' }).click();

  await choose('Call it from code');
  await page.getByText(`/workflows/${workflow.id}/run?wait=30s`).waitFor();
  await shoot(page, 'call-from-code');
  await page.getByText('Python', { exact: true }).click();
  await page.getByText(`client.run_and_follow("${workflow.id}"`).waitFor();
  assert.deepEqual(page.faults, []);
});
