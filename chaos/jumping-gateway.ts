/**
 * A gateway whose clock can be set: SIGUSR2 puts it an hour ahead, SIGHUP an hour back. Timers already set run on, as
 * the system's do. Started by the chaos run only.
 */
import { startGateway } from '../src/app.ts';
import { loadConfig } from '../src/config.ts';
import { systemClock } from '../src/lib/clock.ts';

const HOUR_MS = 3_600_000;
let aheadMs = Number(process.env.CHAOS_CLOCK_AHEAD_MS ?? 0);
process.on('SIGUSR2', () => (aheadMs += HOUR_MS));
process.on('SIGHUP', () => (aheadMs -= HOUR_MS));

const gateway = await startGateway(loadConfig(process.env), {
  clock: { ...systemClock, now: () => systemClock.now() + aheadMs },
  settings: { submitTimeoutMs: 1_500, submitWaitMs: 1_500 },
});
console.log(`Reelay is ready at ${gateway.url}`);
