import { GatewayError } from '../core/errors.ts';
import type { StoreWatch } from '../core/ports.ts';
import type { Backend } from './backend.ts';
import type { ArgsOf, MutationName, ResultOf } from './mutations.ts';

/** Some changes have several ends, which operators want to tell apart. */
const OUTCOMES: Partial<{ [Name in MutationName]: (args: ArgsOf<Name>) => string }> = {
  finishTask: ({ outcome }) => outcome.state,
  settleDelivery: ({ error, nextAt }) =>
    error === null ? 'delivered' : nextAt === null ? 'dead' : 'to_try_again',
};

/** A backend whose changes are counted and timed. */
export function watchBackend(backend: Backend, watch: StoreWatch): Backend {
  return {
    ...backend,
    async write<Name extends MutationName>(name: Name, args: ArgsOf<Name>): Promise<ResultOf<Name>> {
      const from = performance.now();
      let outcome = 'ok';
      try {
        const result = await backend.write(name, args);
        // Somebody else was faster, or there is nothing of that name.
        outcome = result === false ? 'nothing_changed' : (OUTCOMES[name]?.(args) ?? 'ok');
        return result;
      } catch (error) {
        outcome = error instanceof GatewayError ? error.code : 'failed';
        throw error;
      } finally {
        watch.changed(name, outcome, (performance.now() - from) / 1000);
      }
    },
  };
}
