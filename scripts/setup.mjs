// Brings node_modules to the state of the lock file before an npm script runs. Plain JavaScript that
// parses on Node 18+, because the pinned Node it installs is not there yet on a fresh clone.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const stampDir = join(root, 'node_modules', '.reelay');
const stampFile = join(stampDir, 'lock.sha256');
const nodeFile = join(root, 'node_modules', '.bin', process.platform === 'win32' ? 'node.cmd' : 'node');
const pinnedNode = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).devDependencies.node;

/** SHA-256 of the lock file, hex. */
function lockHash() {
  return createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex');
}

/** Version printed by the Node in node_modules, or '' when it is missing or half installed. */
function installedNode() {
  if (!existsSync(nodeFile)) return '';
  const run = spawnSync(nodeFile, ['-v'], { encoding: 'utf8', shell: process.platform === 'win32' });
  return run.status === 0 ? run.stdout.trim() : '';
}

/** Process ids of gateways that run from this folder (each leaves a file named after its id). */
function runningGateways() {
  const dir = join(stampDir, 'running');
  if (!existsSync(dir)) return [];
  return readdirSync(dir).filter((pid) => {
    try {
      process.kill(Number(pid), 0);
      return true;
    } catch (error) {
      if (error.code === 'EPERM') return true;
      rmSync(join(dir, pid), { force: true });
      return false;
    }
  });
}

export function setup() {
  const hash = lockHash();
  const stamped = existsSync(stampFile) ? readFileSync(stampFile, 'utf8').trim() : '';
  if (stamped === hash && installedNode() === `v${pinnedNode}`) return;

  const running = runningGateways();
  if (running.length > 0) {
    console.error(
      `The dependencies have changed, but a gateway is running from this folder (process ${running.join(', ')}).\n` +
        'Stop it first, then run the command again: installing now would pull its modules from under it.',
    );
    process.exit(1);
  }
  console.error('Installing the dependencies of Reelay (once; about half a minute) …');
  const args = [
    'ci',
    '--include=dev',
    '--engine-strict=false',
    '--loglevel=error',
    '--no-audit',
    '--no-fund',
  ];
  const npm = process.env.npm_execpath;
  const run = npm
    ? spawnSync(process.execPath, [npm, ...args], { cwd: root, stdio: ['ignore', 2, 2] })
    : spawnSync('npm', args, { cwd: root, stdio: ['ignore', 2, 2], shell: process.platform === 'win32' });
  if (run.status !== 0) {
    console.error(
      'npm ci failed (its message is above). Check the network and the disk, then run the command again.',
    );
    process.exit(run.status ?? 1);
  }
  if (installedNode() !== `v${pinnedNode}`) {
    console.error(
      `npm ci finished, but node_modules/.bin/node is not v${pinnedNode}: its install script did not run.\n` +
        'Allow install scripts (npm config set ignore-scripts false), then run the command again.',
    );
    process.exit(1);
  }
  mkdirSync(stampDir, { recursive: true });
  writeFileSync(stampFile, `${hash}\n`);
  // The first start finds its compiled code; without it, it only takes longer. The directory is Node's own choice.
  spawnSync(nodeFile, [join(root, 'src', 'warm.ts')], {
    stdio: 'ignore',
    shell: process.platform === 'win32',
    env: { NODE_COMPILE_CACHE: join(tmpdir(), 'node-compile-cache'), ...process.env },
  });
}

setup();
