// Every page: nothing wrong on the console, nothing serious for a screen reader, in the light, in the dark, on a phone.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { openPage, serious, shoot, startBrowser } from './support/browser.mjs';
import { api, example, startServer, until, upload } from './support/server.mjs';

let server, browser;
const pages = {};
before(async () => {
  server = await startServer();
  browser = await startBrowser();
  const definition = example('detect-shapes');
  const workflow = await api(server, '/workflows', definition);
  await fetch(`${server.url}/api/v1/workflows/${workflow.id}`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      ...definition,
      nodes: definition.nodes.map(node =>
        node.id === 'draw' ? { ...node, config: { thickness: 4 } } : node,
      ),
    }),
  });
  const photo = await upload(server, 'scene.jpg');
  const good = await api(server, `/workflows/${workflow.id}/run?wait=30s`, { input: { photo } });
  const again = await api(server, `/workflows/${workflow.id}/run?wait=30s`, { input: { photo, min: 0.9 } });
  const lost = {
    ...definition,
    name: 'missing-model',
    nodes: definition.nodes.map(node =>
      node.id === 'detect' ? { ...node, config: { model_id: 'not-there' } } : node,
    ),
  };
  const bad = await api(server, '/executions?wait=30s', { workflow: lost, input: { photo } });
  await until('the record of the runs', () =>
    api(server, '/executions').then(list => list.executions.every(run => run.completed_at)),
  );
  Object.assign(pages, {
    overview: '/',
    workflows: '/workflows',
    editor: `/workflows/${workflow.id}`,
    versions: `/workflows/${workflow.id}/versions`,
    executions: '/executions',
    execution: `/executions/${good.execution_id}`,
    'execution-node': `/executions/${good.execution_id}?node=detect`,
    'execution-timeline': `/executions/${good.execution_id}?tab=timeline`,
    'execution-outputs': `/executions/${good.execution_id}?tab=outputs`,
    'execution-events': `/executions/${good.execution_id}?tab=events`,
    'execution-failed': `/executions/${bad.execution_id}?node=detect`,
    compare: `/executions/compare?a=${good.execution_id}&b=${again.execution_id}`,
    failures: '/failures',
    queues: '/queues',
    workers: '/workers',
    models: '/models',
    collections: '/collections',
    keys: '/keys',
    changes: '/changes',
    schedules: `/workflows/${workflow.id}/schedules`,
    login: '/login',
    'not-found': '/nowhere/at/all',
  });
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

/** Waits until nothing moves and nothing is loading. */
async function settle(page) {
  await page.waitForLoadState('load');
  await page.waitForFunction(
    () => !document.querySelector('.mantine-Skeleton-root, [role=status][aria-label=Loading]'),
  );
  await page.waitForTimeout(500);
}

/** What reaches over the page's right edge and makes it scroll, once charts have found their size. */
async function tooWide(page) {
  const fits = () => document.documentElement.scrollWidth <= window.innerWidth + 1;
  if (await page.waitForFunction(fits, null, { timeout: 10_000 }).catch(() => null)) return [];
  const offenders = await page.evaluate(() =>
    [...document.querySelectorAll('body *')]
      .filter(one => one.getBoundingClientRect().right > window.innerWidth + 1)
      .map(one => `${one.tagName} ${one.className}`),
  );
  return ['the page', ...offenders.slice(0, 20)];
}

for (const [scheme, width, height, suffix, which] of [
  ['light', 1440, 900, '', /./],
  [
    'dark',
    1440,
    900,
    '-dark',
    /^(overview|editor|versions|execution-node|execution-events|execution-failed|workers|keys|failures)$/,
  ],
  [
    'light',
    390,
    844,
    '-phone',
    /^(overview|executions|execution|execution-node|execution-timeline|execution-events|workflows|failures|models|keys|queues)$/,
  ],
]) {
  test(`every page is sound: ${scheme}, ${width} wide`, async t => {
    for (const [name, path] of Object.entries(pages).filter(([one]) => which.test(one))) {
      await t.test(name, async () => {
        const page = await openPage(browser, { scheme, width, height });
        await page.goto(`${server.url}${path}`);
        await settle(page);
        await shoot(page, `${name}${suffix}`);
        assert.deepEqual(await serious(page), []);
        assert.deepEqual(page.faults, []);
        assert.deepEqual(await tooWide(page), [], 'the page does not scroll sideways');
        await page.context().close();
      });
    }
  });
}

test('a list of runs fits a phone however old they are', async () => {
  const page = await openPage(browser, { width: 390, height: 844 });
  for (const seconds of [90, 5 * 3_600, 40 * 86_400]) {
    await page.clock.setFixedTime(Date.now() + seconds * 1_000);
    await page.goto(`${server.url}/executions`);
    await page.locator('tbody tr').first().waitFor();
    assert.deepEqual(await tooWide(page), [], `${seconds} s old`);
  }
  await page.context().close();
});

test('a first visit loads less than 300 KiB', async () => {
  const page = await openPage(browser);
  await page.goto(`${server.url}/workflows`);
  await settle(page);
  const bytes = await page.evaluate(() => {
    const [document] = performance.getEntriesByType('navigation');
    const files = performance.getEntriesByType('resource').filter(entry => !entry.name.includes('/api/'));
    return files.reduce((sum, entry) => sum + entry.encodedBodySize, document.encodedBodySize);
  });
  console.log(`a first visit loads ${(bytes / 1024).toFixed(0)} KiB`);
  assert.ok(bytes > 100 * 1024 && bytes <= 300 * 1024, `${bytes} bytes`);
});

test('the keyboard reaches everything that matters', async () => {
  const page = await openPage(browser);
  await page.goto(`${server.url}/workflows`);
  await settle(page);
  await page.keyboard.press('g');
  await page.keyboard.press('e');
  await page.waitForURL(/\/executions$/);
  await page.keyboard.press('Control+k');
  await page.getByPlaceholder(/A page, a workflow/).fill('detect');
  await page.getByRole('button', { name: /detect-shapes/ }).waitFor();
  await page.keyboard.press('Enter');
  await page.waitForURL(/\/workflows\/[0-9a-f-]{36}/);
  // Until it has gone, keys are meant for it.
  await page.getByPlaceholder(/A page, a workflow/).waitFor({ state: 'hidden' });
  await page.locator('.react-flow__node').first().waitFor();
  await page.getByLabel('Search blocks').waitFor();
  await page.keyboard.press('/');
  await page.waitForFunction(() => document.activeElement?.getAttribute('aria-label') === 'Search blocks');
  await page.keyboard.type('resize');
  await page.getByRole('region', { name: 'Found' }).locator('[data-block^=resize]').waitFor();
  await page.keyboard.press('Enter');
  await page.locator('.react-flow__node[data-id=small], .react-flow__node').nth(5).waitFor();
  assert.deepEqual(
    page.faults.filter(fault => !/422/.test(fault)),
    [],
  );
});
