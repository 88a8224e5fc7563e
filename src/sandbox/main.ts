/** `npm run sandbox`: the sandbox as a server of its own, for several gateways or for none. */
import { join, resolve } from 'node:path';
import { systemClock } from '../lib/clock.ts';
import { startSandbox } from './server.ts';

/** The next one up from the gateway's own. */
const portDefault = 8788;

/** Reads a setting; an empty one counts as absent. Throws a sentence for the operator. */
function setting<Value>(
  name: string,
  preset: Value,
  read: (text: string) => Value | null,
  words: string,
): Value {
  const text = process.env[name]?.trim();
  if (!text) return preset;
  const value = read(text);
  if (value === null) throw new Error(`${name} must be ${words}, not ${text}`);
  return value;
}

function readPort(text: string): number | null {
  return /^\d{1,5}$/.test(text) && Number(text) <= 65_535 ? Number(text) : null;
}

function readSpeed(text: string): number | null {
  const speed = Number(text);
  return Number.isFinite(speed) && speed > 0 ? speed : null;
}

function readRender(text: string): 'full' | 'tiny' | null {
  return text === 'full' || text === 'tiny' ? text : null;
}

async function main(): Promise<void> {
  const publicUrl = process.env['REELAY_PUBLIC_URL'];
  const gatewayOrigin = publicUrl ? URL.parse(publicUrl)?.origin : undefined;
  const sandbox = await startSandbox({
    dataDir: join(resolve(process.env['REELAY_DATA'] || './data'), 'sandbox'),
    host: process.env['HOST'] || '127.0.0.1',
    port: setting('PORT', portDefault, readPort, 'a port number'),
    speed: setting('REELAY_SANDBOX_SPEED', 1, readSpeed, 'a number above 0'),
    render: setting('REELAY_SANDBOX_RENDER', 'full', readRender, '"full" or "tiny"'),
    clock: systemClock,
    gatewayCallbackOrigins: () => (gatewayOrigin ? [gatewayOrigin] : []),
    allowPrivate: (process.env['REELAY_ALLOW_PRIVATE'] ?? '').split(/[\s,]+/).filter(Boolean),
  });
  process.stdout.write(`Reelay sandbox is ready at ${sandbox.url}\n`);

  let closing = false;
  const close = () => {
    if (closing) return;
    closing = true;
    sandbox.close().then(
      () => process.exit(0),
      () => process.exit(1),
    );
  };
  process.on('SIGTERM', close);
  process.on('SIGINT', close);
}

main().catch((error: unknown) => {
  process.stderr.write(
    `The sandbox cannot start: ${error instanceof Error ? error.message : String(error)}\n`,
  );
  process.exit(1);
});
