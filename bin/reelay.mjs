#!/usr/bin/env node
// The `reelay` command. Plain JavaScript that parses on Node 18+: it brings the dependencies up to date, then hands
// over to src/cli/main.ts under the Node that package.json pins.
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import * as nodeModule from 'node:module';
import { constants, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
// Installs what the lock file asks for, when it is not there yet.
import '../scripts/setup.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const main = join(root, 'src', 'cli', 'main.ts');
const pinnedNode = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).devDependencies.node;
const args = process.argv.slice(2);

if (process.version === `v${pinnedNode}`) {
  // Compiled code is kept, so that nothing has to be turned from TypeScript into JavaScript twice.
  nodeModule.enableCompileCache();
  const { runCli } = await import('../src/cli/main.ts');
  process.exitCode = await runCli(args);
} else {
  const onWindows = process.platform === 'win32';
  const node = join(root, 'node_modules', '.bin', onWindows ? 'node.cmd' : 'node');
  // Node's own choice of a directory; named here, it holds for the command's first file too.
  const env = { NODE_COMPILE_CACHE: join(tmpdir(), 'node-compile-cache'), ...process.env };
  const child = spawn(node, [main, ...args], { stdio: 'inherit', shell: onWindows, env });

  // The child decides when to go; a terminal gives Ctrl-C to the whole group, so that one is not passed on twice.
  for (const signal of ['SIGTERM', 'SIGHUP', 'SIGINT']) {
    process.on(signal, () => {
      if (signal === 'SIGINT' && process.stdin.isTTY) return;
      child.kill(signal);
    });
  }
  child.on('error', (error) => {
    console.error(
      `${node} cannot be started: ${error.message}. Remove node_modules and run the command again.`,
    );
    process.exitCode = 1;
  });
  child.on('exit', (code, signal) => {
    process.exitCode = signal === null ? code : 128 + constants.signals[signal];
  });
}
