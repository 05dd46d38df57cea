// The first load (the page, and every script, style and font it names or imports at once) stays under 300 KiB as sent.
import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

const limit = 300 * 1024;
const folder = new URL('../dist/app', import.meta.url).pathname;
const page = readFileSync(join(folder, 'index.html'), 'utf8');

const sent = name =>
  statSync(join(folder, existsSync(join(folder, `${name}.gz`)) ? `${name}.gz` : name)).size;
const names = new Set([...page.matchAll(/(?:src|href)="\/(assets\/[^"]+)"/g)].map(match => match[1]));
for (const name of names) {
  if (!name.endsWith('.js')) continue;
  const source = readFileSync(join(folder, name), 'utf8');
  for (const [, path] of source.matchAll(/\bimport\s*(?:[^"'()]*?from\s*)?["']\.\/([^"']+\.js)["']/g))
    names.add(`assets/${path}`);
}
// The Latin part of the font is what a first visit downloads.
for (const name of readdirSync(join(folder, 'assets'))) {
  if (/^inter-latin-wght-normal.*\.woff2$/.test(name)) names.add(`assets/${name}`);
}
const total = sent('index.html') + [...names].reduce((sum, name) => sum + sent(name), 0);
const kib = bytes => `${(bytes / 1024).toFixed(1)} KiB`;
for (const name of [...names].sort()) console.log(`  ${kib(sent(name)).padStart(10)}  ${name}`);
console.log(`first load: ${kib(total)} of ${kib(limit)}`);
if (total > limit) {
  console.error('The first load is too large: split something off with import().');
  process.exit(1);
}
