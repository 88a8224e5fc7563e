/** The gateway as `src/main.ts` starts it, but with one transaction, and so one sync, for every change. */
import { startGateway } from '../../src/app.ts';
import { loadConfig } from '../../src/config.ts';

const gateway = await startGateway(loadConfig(process.env), { store: { groupCommit: false } });
process.once('SIGTERM', () => void gateway.close().then(() => process.exit(0)));
console.log(`Ready at ${gateway.url}`);
