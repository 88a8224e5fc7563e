import { testCounters } from './contract.ts';
import { createMemoryCounters } from './memory.ts';

testCounters('memory', 1, async (windowSeconds) => ({
  nodes: [createMemoryCounters(windowSeconds)],
  dispose: async () => {},
}));
