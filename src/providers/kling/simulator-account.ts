/** `GET /account/costs`: resource packs, in the platform's double envelope. */
import type { SimulatorAnswer, SimulatorHost, SimulatorRequest } from '../kit/simulator.ts';
import { answerData, Refusal } from './simulator-errors.ts';
import { detailsOf } from './simulator-task.ts';

const packUnits = 10_000;
/** 2026-01-01 in Unix ms: a pack that was there before anyone asked. */
const packBoughtAt = Date.UTC(2026, 0, 1);
/** The documentation allows one request a second. */
const askedEveryMs = 1000;

export function answerCosts(
  request: SimulatorRequest,
  account: string,
  host: SimulatorHost,
  askedAt: Map<string, number>,
): SimulatorAnswer {
  const now = host.now();
  const last = askedAt.get(account);
  if (last !== undefined && now - last < askedEveryMs && now >= last) throw new Refusal(1302);
  askedAt.set(account, now);
  for (const field of ['start_time', 'end_time']) {
    if (!/^\d{1,16}$/.test(request.query.get(field) ?? '')) {
      throw new Refusal(1201, `${field}: must be a time in Unix milliseconds`);
    }
  }
  const used = host
    .succeededTasks('kling', account)
    .reduce((sum, task) => sum + Math.round(Number(detailsOf(task).units) * 1000), 0);
  const remaining = Math.max(0, packUnits * 1000 - used) / 1000;
  return answerData({
    code: 0,
    msg: 'success',
    resource_pack_subscribe_infos: [
      {
        resource_pack_name: 'Sandbox video pack',
        resource_pack_id: '913827032734642185',
        resource_pack_type: 'decreasing_total',
        total_quantity: packUnits,
        remaining_quantity: remaining,
        purchase_time: packBoughtAt,
        effective_time: packBoughtAt,
        invalid_time: packBoughtAt + 10 * 365 * 86_400_000,
        status: remaining > 0 ? 'online' : 'runOut',
      },
    ],
  });
}
