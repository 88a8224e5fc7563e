/**
 * A gateway in a process of its own that can be made to die at a named step, as if the plug were pulled. Only tests
 * start it: the product has no such switch. Arguments: the step to die at, or `-`.
 */
import { startGateway } from '../../src/app.ts';
import { loadConfig } from '../../src/config.ts';

const fatalStep = process.argv[2];
const gateway = await startGateway(loadConfig(process.env), {
  faults(step) {
    if (step === fatalStep) process.kill(process.pid, 'SIGKILL');
  },
  settings: { submitTimeoutMs: 1_500, submitWaitMs: 1_500 },
});
process.on('SIGTERM', () => void gateway.close().then(() => process.exit(0)));
console.log(`Reelay is ready at ${gateway.url}`);
