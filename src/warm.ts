/**
 * `node src/warm.ts`: loads what a first start loads, and starts nothing of it but the writer's thread, so that the start
 * finds its compiled code. The set-up script runs it after an install, and the image while it is built.
 */
import { load } from './main.ts';

await load();
await import('./sandbox/server.ts');
const { loadSimulators } = await import('./sandbox/simulators.ts');
await loadSimulators();
const { createWriter } = await import('./store/sqlite/writer-client.ts');
const nobody = { onCommit() {}, onTasksChanged() {} };
await createWriter({ file: ':memory:', busyTimeoutMs: 0, callsPerCommit: 1 }, nobody).close();
