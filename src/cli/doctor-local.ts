/** What `reelay doctor` can see on this machine, with or without a running gateway. */
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { access, constants, readdir, rm, stat, statfs, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { loadConfig, type Config } from '../config.ts';
import { attention, ok, wrong, type Finding } from './check.ts';
import type { Context } from './command.ts';
import { size } from './text.ts';

const packageFile = new URL('../../package.json', import.meta.url);

/** A 5 s film at 720P has a few MB: below the first figure nothing can be made, below the second not for long. */
const FREE_BYTES_WRONG = 200_000_000;
const FREE_BYTES_LOW = 2_000_000_000;

export function checkNode(): Finding {
  const { devDependencies } = JSON.parse(readFileSync(packageFile, 'utf8')) as {
    devDependencies: { node: string };
  };
  const pinned = `v${devDependencies.node}`;
  if (process.version === pinned) return ok('Node.js', process.version);
  const [major] = process.versions.node.split('.');
  if (major === devDependencies.node.split('.')[0]) {
    return attention(
      'Node.js',
      `${process.version}; this version was tested with ${pinned}`,
      'Start it with npm start.',
    );
  }
  return wrong(
    'Node.js',
    `${process.version}, but ${pinned} is needed`,
    'Run npm ci, then npx reelay doctor.',
  );
}

/** The configuration as the gateway would read it here, or why it would not start. */
export function checkConfig({ env, cwd }: Context): { finding: Finding; config: Config | null } {
  try {
    const config = loadConfig(env, cwd);
    const sandbox = config.sandbox.mode === 'remote' ? config.sandbox.url : config.sandbox.mode;
    return {
      finding: ok('Configuration', `readable; currency ${config.currency}, sandbox ${sandbox}`),
      config,
    };
  } catch (error) {
    const advice = 'Correct it in the environment or in reelay.yaml (environment table: README.md).';
    return { finding: wrong('Configuration', (error as Error).message, advice), config: null };
  }
}

export async function checkDataDirectory(dataDir: string): Promise<Finding[]> {
  const topic = 'Data directory';
  const found = await stat(dataDir).catch(() => null);
  if (found === null) {
    const parent = await firstExisting(dataDir);
    return (await isWritable(parent))
      ? [ok(topic, `${dataDir} will be made at the first start`), ...(await checkSpace(parent))]
      : [
          wrong(
            topic,
            `${dataDir} cannot be made: ${parent} is not writable`,
            'Set REELAY_DATA to another folder.',
          ),
        ];
  }
  if (!found.isDirectory()) return [wrong(topic, `${dataDir} is a file`, 'Set REELAY_DATA to a folder.')];
  const probe = join(dataDir, `.doctor-${randomUUID()}`);
  try {
    await writeFile(probe, 'x', { mode: 0o600 });
  } catch (error) {
    return [
      wrong(
        topic,
        `${dataDir}: ${(error as Error).message}`,
        `Make it writable: chown -R "$USER" ${dataDir}`,
      ),
    ];
  } finally {
    await rm(probe, { force: true }).catch(() => {});
  }
  return [
    ok(topic, `${dataDir} is writable`),
    ...(await checkSpace(dataDir)),
    await checkPermissions(dataDir, found.mode),
  ];
}

async function checkSpace(path: string): Promise<Finding[]> {
  const { bavail, bsize } = await statfs(path);
  const free = bavail * bsize;
  const message = `${size(free)} free`;
  const advice = 'Delete what is not needed, or set REELAY_DATA to a larger disk.';
  if (free < FREE_BYTES_WRONG) return [wrong('Disk', message, advice)];
  return [free < FREE_BYTES_LOW ? attention('Disk', message, advice) : ok('Disk', message)];
}

/** Secrets are for the gateway's own user only. Windows has no such modes. */
async function checkPermissions(dataDir: string, mode: number): Promise<Finding> {
  const topic = 'Secrets';
  if (process.platform === 'win32') return ok(topic, 'file modes do not apply on Windows');
  if ((mode & 0o077) !== 0) {
    return wrong(topic, `${dataDir} is open to other users of this machine`, `chmod 700 ${dataDir}`);
  }
  const open = [];
  for (const name of (await readdir(dataDir)).filter((each) => /^first-run\.json$|secret|token/.test(each))) {
    const found = await stat(join(dataDir, name)).catch(() => null);
    if (found?.isFile() && (found.mode & 0o077) !== 0) open.push(join(dataDir, name));
  }
  if (open.length === 0) return ok(topic, 'readable by their owner only');
  return wrong(
    topic,
    `${open.join(', ')}: readable by other users of this machine`,
    `chmod 600 ${open.join(' ')}`,
  );
}

/** Without a gateway to compare with: a clock that stands before this copy of the program was written is wrong. */
export async function checkLocalClock(): Promise<Finding> {
  const { mtimeMs } = await stat(packageFile);
  const now = new Date();
  if (now.getTime() >= mtimeMs - 86_400_000) return ok('Clock', `${now.toISOString().slice(0, 19)}Z`);
  return wrong(
    'Clock',
    `${now.toISOString()} lies before the date of the program's own files`,
    'Set the clock (timedatectl set-ntp true): signed keys and links depend on it.',
  );
}

async function firstExisting(path: string): Promise<string> {
  const parent = dirname(path);
  return parent === path || (await stat(parent).catch(() => null)) !== null ? parent : firstExisting(parent);
}

async function isWritable(path: string): Promise<boolean> {
  return access(path, constants.W_OK).then(
    () => true,
    () => false,
  );
}
