/**
 * A gateway whose clock can be set: SIGUSR2 puts it ahead, SIGHUP back, by CHAOS_CLOCK_STEP_MS or an hour. Timers already set run on, as
 * the system's do. Started by the chaos run only.
 */
import { startGateway } from '../src/app.ts';
import { loadConfig } from '../src/config.ts';
import { systemClock } from '../src/lib/clock.ts';

const stepMs = Number(process.env.CHAOS_CLOCK_STEP_MS ?? 3_600_000);
let aheadMs = 0;
process.on('SIGUSR2', () => (aheadMs += stepMs));
process.on('SIGHUP', () => (aheadMs -= stepMs));

const gateway = await startGateway(loadConfig(process.env), {
  clock: { ...systemClock, now: () => systemClock.now() + aheadMs },
  settings: { submitTimeoutMs: 1_500, submitWaitMs: 1_500 },
});
console.log(`Reelay is ready at ${gateway.url}`);
