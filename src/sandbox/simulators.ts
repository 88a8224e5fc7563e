/** Finds the simulators: every provider folder that has a `simulator.ts` with a `createSimulator`. */
import { existsSync, readdirSync } from 'node:fs';
import type { Simulator } from '../providers/kit/simulator.ts';

const providersUrl = new URL('../providers/', import.meta.url);

/** Derived from the folders, so that a new provider's simulator is mounted without an edit here. */
export async function loadSimulators(): Promise<Simulator[]> {
  const simulators: Simulator[] = [];
  for (const entry of readdirSync(providersUrl, { withFileTypes: true })) {
    if (!entry.isDirectory()) continue;
    const file = new URL(`${entry.name}/simulator.ts`, providersUrl);
    if (!existsSync(file)) continue;
    const module: { createSimulator?: () => Simulator } = await import(file.href);
    if (module.createSimulator) simulators.push(module.createSimulator());
  }
  return simulators;
}
