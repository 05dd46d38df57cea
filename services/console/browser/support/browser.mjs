// Headless Chromium, and pages that complain about errors on the console.
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';

const CANDIDATES = [
  process.env.CHROMIUM,
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
];
export const executable = CANDIDATES.find(path => path && existsSync(path));
const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
export const OUT = fileURLToPath(new URL('../out', import.meta.url));

export async function startBrowser(flags = []) {
  mkdirSync(OUT, { recursive: true });
  return chromium.launch({
    executablePath: executable,
    args: ['--no-sandbox', '--disable-dev-shm-usage', ...flags],
  });
}

/** A page whose errors are kept in `page.faults`; `allowed` says which are expected. */
export async function openPage(browser, { width = 1440, height = 900, scheme = 'light', allowed = [] } = {}) {
  const context = await browser.newContext({
    viewport: { width, height },
    colorScheme: scheme,
    acceptDownloads: true,
  });
  const page = await context.newPage();
  page.faults = [];
  const note = text => {
    if (!allowed.some(pattern => pattern.test(text))) page.faults.push(text);
  };
  page.on(
    'console',
    message => message.type() === 'error' && note(`${message.text()} ${message.location().url}`),
  );
  page.on('pageerror', error => note(error.stack ?? error.message));
  return page;
}

export async function shoot(page, name) {
  await page.screenshot({ path: `${OUT}/${name}.png` });
}

/** What axe finds that keeps somebody out. */
export async function serious(page) {
  await page.evaluate(AXE);
  const { violations } = await page.evaluate(() => window.axe.run(document, { resultTypes: ['violations'] }));
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(
      ({ id, nodes }) =>
        `${id}: ${nodes
          .slice(0, 3)
          .map(node => `${node.html.slice(0, 160)} ${node.failureSummary?.split('\n')[1] ?? ''}`)
          .join(' | ')}`,
    );
}
