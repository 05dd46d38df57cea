// Takes the README's pictures from the real thing: a private Millrace, real runs, headless Chromium.
//
//     cargo build -p millrace && node scripts/screenshots.mjs
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { openPage, startBrowser } from '../browser/support/browser.mjs';
import { api, example, ROOT, startServer, upload } from '../browser/support/server.mjs';
import { loop } from '../browser/support/workflows.mjs';
import sharp from 'sharp';

const folder = join(ROOT, 'docs/screenshots');
mkdirSync(folder, { recursive: true });
const server = await startServer();
const browser = await startBrowser();

/** A palette for each: what a page shows has few colours, and photographs on it are dithered. */
const SMALL = { palette: true, quality: 90, effort: 10, compressionLevel: 9 };

async function take(name, path, prepare = async () => {}, options = {}) {
  const page = await openPage(browser, { width: 1280, height: 800, ...options });
  await page.goto(`${server.url}${path}`);
  await page.waitForFunction(
    () => !document.querySelector('.mantine-Skeleton-root, [role=status][aria-label=Loading]'),
  );
  await prepare(page);
  await page.waitForTimeout(700);
  await sharp(await page.screenshot())
    .png(SMALL)
    .toFile(join(folder, `${name}.png`));
  await page.context().close();
}

try {
  const photo = await upload(server, 'scene.jpg');
  const filtered = await api(server, '/workflows', example('detect-and-filter'));
  const detect = await api(server, '/workflows', example('detect-shapes'));
  for (let at = 0; at < 12; at += 1) {
    await api(server, `/workflows/${detect.id}/run?wait=30s`, { input: { photo, min: 0.3 + at / 40 } });
  }
  const run = await api(server, `/workflows/${filtered.id}/run?wait=30s`, { input: { photo } });
  const list = Array.from({ length: 400 }, (_, at) => at);
  const watched = await api(server, '/executions', {
    workflow: loop({ parallel: 8, delayMs: 250 }),
    input: { list },
  });

  await take('editor', `/workflows/${filtered.id}`, page =>
    page.locator('[data-node=detect] header').click(),
  );
  await take('loop', `/executions/${watched.execution_id}`, page => page.waitForTimeout(1_500), {
    scheme: 'dark',
  });
  await take('execution', `/executions/${run.execution_id}`);
  await take('viewer', `/executions/${run.execution_id}?node=detect`, page =>
    page.getByRole('button', { name: 'On the picture' }).click(),
  );
  await take('timeline', `/executions/${run.execution_id}?tab=timeline`);
  await take('overview', '/?window=15m', async page => page.waitForTimeout(1_500));
} finally {
  await browser.close();
  await server.stop();
}
