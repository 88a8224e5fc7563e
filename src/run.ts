/**
 * The gateway of this process: starts, greets, and ends with SIGTERM or SIGINT.
 */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { startGateway, type GatewayHandle } from './app.ts';
import { ConfigError, loadConfig, type Config } from './config.ts';

/** Starts the gateway of this process and keeps it until SIGTERM or SIGINT. */
export async function run(env: Record<string, string | undefined>): Promise<void> {
  let config: Config;
  let gateway: GatewayHandle;
  try {
    config = loadConfig(env);
    gateway = await startGateway(config);
  } catch (error) {
    if (error instanceof ConfigError || isListenError(error) || (error as Error).name === 'StoreLocked') {
      console.error(`Reelay cannot start: ${(error as Error).message}`);
    } else {
      console.error('Reelay cannot start:', error);
    }
    process.exit(1);
  }
  markRunning();
  for (const signal of ['SIGTERM', 'SIGINT'] as const)
    process.once(signal, () => void shutDown(gateway, signal));

  if (config.host === '0.0.0.0' || config.host === '::') {
    if (config.publicUrl === null) {
      console.error(
        'Warning: REELAY_PUBLIC_URL is not set, so links and callbacks name 127.0.0.1 and work on this machine only.',
      );
    }
  }
  if (gateway.isFirstRun) console.log(welcome(gateway, config));
  console.log(`Reelay is ready at ${gateway.url}`);
}

async function shutDown(gateway: GatewayHandle, signal: string): Promise<void> {
  console.error(`${signal}: finishing what is in hand …`);
  // A second signal, or half a minute, ends the wait: nothing is lost, it is settled at the next start.
  const force = setTimeout(() => process.exit(1), 30_000);
  process.once(signal, () => process.exit(1));
  try {
    await gateway.close();
  } finally {
    clearTimeout(force);
  }
  process.exit(0);
}

function isListenError(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code;
  return code === 'EADDRINUSE' || code === 'EACCES' || code === 'EADDRNOTAVAIL';
}

/** Tells the set-up script not to exchange dependencies under a running gateway; best effort (read-only installs). */
function markRunning(): void {
  const directory = fileURLToPath(new URL('../node_modules/.reelay/running/', import.meta.url));
  try {
    mkdirSync(directory, { recursive: true });
    writeFileSync(`${directory}${process.pid}`, '');
    process.once('exit', () => rmSync(`${directory}${process.pid}`, { force: true }));
  } catch {
    // A read-only installation has no set-up script to warn.
  }
}

/** What a newcomer needs, printed once; kept in first-run.json. */
function welcome(gateway: GatewayHandle, config: Config): string {
  const {
    base_url: url,
    api_key: key,
    access_key: access,
    secret_key: secret,
    admin_token: admin,
  } = gateway.firstRun;
  const lines = [
    '',
    'First start. These are shown once and kept in ' + `${config.dataDir}/first-run.json`,
    '',
  ];
  if (key !== undefined)
    lines.push(`  API key      ${key}`, `  access key   ${access}`, `  secret key   ${secret}`);
  lines.push(`  admin token  ${admin}`, '');
  if (key !== undefined) {
    const prompt = 'A cat playing with a ball of yarn in a sunny room';
    const curl = (path: string, body: object) =>
      `curl ${url}${path} -H 'Authorization: Bearer ${key}' -H 'Content-Type: application/json' \\\n     -d '${JSON.stringify(body)}'`;
    lines.push(
      'Three doors to the same gateway; paste any of them:',
      '',
      `  ${curl('/kling/v1/videos/text2video', { model_name: 'kling-v1-6', prompt, duration: '5' })}`,
      '',
      `  ${curl('/v1/video/generations', { model: 'kling-v1-6', prompt, duration: 5 })}`,
      '',
      `  ${curl('/v1/videos', { model: 'kling-2.5', prompt, seconds: '5' })}`,
      '',
      'Or let the command line do it:  npx reelay generate "a cat playing with yarn" -o cat.mp4',
      `API reference:  ${url}/docs`,
      '',
    );
  }
  return lines.join('\n');
}
