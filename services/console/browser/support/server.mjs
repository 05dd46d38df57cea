// A real Millrace for a test: `millrace up` with its own Redis and Postgres in a folder of its own, on a free port.
import { execFileSync, spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../../../..', import.meta.url));
const READY_MS = 90_000;

function binary() {
  const target = process.env.CARGO_TARGET_DIR ?? join(ROOT, 'target');
  const path = process.env.MILLRACE_BIN ?? join(target, 'debug', 'millrace');
  if (!existsSync(path))
    throw new Error(`there is no ${path}: run cargo build -p millrace, or set MILLRACE_BIN`);
  return path;
}

function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer().on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

export async function until(what, check, timeoutMs = 30_000) {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const found = await check();
    if (found) return found;
    if (Date.now() > deadline) throw new Error(`waited ${timeoutMs} ms for ${what}`);
    await new Promise(resolve => setTimeout(resolve, 50));
  }
}

/** Starts it, with more in its environment; `stop` takes everything down, `restart` kills the process that holds the api and starts it again. */
export async function startServer(environment = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-console-'));
  // As root, Postgres runs as another user, who has to come through here; the database would else lie elsewhere, and stay.
  chmodSync(folder, 0o711);
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  let child;
  const start = async () => {
    const log = openSync(join(folder, 'up.log'), 'a');
    const args = [
      'up',
      '--data-dir',
      join(folder, 'data'),
      '--listen',
      `127.0.0.1:${port}`,
      '--models',
      join(ROOT, 'models'),
    ];
    child = spawn(binary(), args, {
      stdio: ['ignore', log, log],
      env: { ...process.env, ...environment },
    });
    await until(
      'Millrace to be ready',
      async () => {
        if (child.exitCode !== null)
          throw new Error(readFileSync(join(folder, 'up.log'), 'utf8').slice(-4_000));
        return fetch(`${url}/readyz`)
          .then(answer => answer.ok)
          .catch(() => false);
      },
      READY_MS,
    );
  };
  const ended = one =>
    new Promise(resolve =>
      one.exitCode === null && one.signalCode === null ? one.once('exit', resolve) : resolve(),
    );
  await start();
  return {
    url,
    folder,
    async restart() {
      child.kill('SIGKILL');
      await ended(child);
      await start();
    },
    async stop() {
      child.kill('SIGTERM');
      await ended(child);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** A worker of its own beside the server, for the jobs of one pool; the function that is returned ends it. */
export async function startWorker(server, pool) {
  const data = join(server.folder, 'data');
  const { redis_url: redis } = JSON.parse(readFileSync(join(data, 'endpoints.json'), 'utf8'));
  const log = openSync(join(server.folder, `worker-${pool}.log`), 'a');
  const child = spawn(binary(), ['worker', '--pool', pool, '--health-listen', '127.0.0.1:0'], {
    stdio: ['ignore', log, log],
    env: { ...process.env, REDIS_URL: redis, MILLRACE__BLOBS__URL: join(data, 'blobs') },
  });
  return async () => {
    child.kill('SIGTERM');
    if (child.exitCode === null && child.signalCode === null)
      await new Promise(resolve => child.once('exit', resolve));
  };
}

/** A request to the api, by JSON, with the server's key if it has one. */
export async function api(server, path, body, method = body === undefined ? 'GET' : 'POST') {
  const answer = await fetch(`${server.url}/api/v1${path}`, {
    method,
    headers: { 'content-type': 'application/json', ...keyOf(server) },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${path} answered ${answer.status}: ${text}`);
  return JSON.parse(text);
}

function keyOf({ key }) {
  return key ? { authorization: `Bearer ${key}` } : {};
}

/** A JPEG, uploaded, as an input names it. */
export async function store(server, bytes) {
  const answer = await fetch(`${server.url}/api/v1/blobs`, {
    method: 'POST',
    body: bytes,
    headers: { 'content-type': 'image/jpeg', ...keyOf(server) },
  });
  return `blob:${(await answer.json()).blob}`;
}

/** An example picture, uploaded. */
export function upload(server, name) {
  return store(server, readFileSync(join(ROOT, 'examples', name)));
}

/** Example workflows, by name. */
export function example(name) {
  return JSON.parse(readFileSync(join(ROOT, `examples/${name}.json`), 'utf8'));
}

/** Runs one statement in the server's own Postgres. */
export function sql(server, statement) {
  const { database_url: database } = JSON.parse(
    readFileSync(join(server.folder, 'data/endpoints.json'), 'utf8'),
  );
  execFileSync('psql', ['-q', '-X', '-v', 'ON_ERROR_STOP=1', '-d', database, '-c', statement]);
}
