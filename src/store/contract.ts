/** What every engine behind the Store port promises. An engine's own test hands in a way to make one. */
import { testAccess } from './contract/access.ts';
import { testAttempts } from './contract/attempts.ts';
import { testBelongings } from './contract/belongings.ts';
import { testDurability } from './contract/durability.ts';
import { promises, type StoreHarness } from './contract/harness.ts';
import { testJobRows } from './contract/job-rows.ts';
import { testLanes } from './contract/lanes.ts';
import { testLimits } from './contract/limits.ts';
import { testLists } from './contract/lists.ts';
import { testMoney } from './contract/money.ts';
import { testOperatorActions } from './contract/operator-actions.ts';
import { testRepeats } from './contract/repeats.ts';
import { testRetention } from './contract/retention.ts';
import { testSealed } from './contract/sealed.ts';
import { testTasks } from './contract/tasks.ts';
import { testWebhooks } from './contract/webhooks.ts';

export type { StoreHarness };

export function testStore(name: string, make: () => Promise<StoreHarness>): void {
  const promise = promises(name, make);
  testAccess(promise);
  testTasks(promise);
  testAttempts(promise);
  testLanes(promise);
  testMoney(promise);
  testOperatorActions(promise);
  testRepeats(promise);
  testLimits(promise);
  testLists(promise);
  testBelongings(promise);
  testJobRows(promise);
  testWebhooks(promise);
  testRetention(promise);
  testSealed(promise);
  testDurability(promise);
}
