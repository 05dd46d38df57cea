// Headless Chromium, and pages that complain about errors on the console.
import { existsSync, mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';

const CANDIDATES = [
  process.env.CHROMIUM,
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
];
export const executable = CANDIDATES.find(path => path && existsSync(path));
export const OUT = fileURLToPath(new URL('../out', import.meta.url));

export async function startBrowser() {
  mkdirSync(OUT, { recursive: true });
  return chromium.launch({ executablePath: executable, args: ['--no-sandbox', '--disable-dev-shm-usage'] });
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
