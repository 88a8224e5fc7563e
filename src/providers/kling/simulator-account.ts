/** The account's packs and bills, read off what it had made: `/account/costs`, `/account/billing/*`. */
import type { Json } from '../../lib/json.ts';
import type { SimulatedTask, SimulatorAnswer, SimulatorHost, SimulatorRequest } from '../kit/simulator.ts';
import { answerData, Refusal } from './simulator-errors.ts';
import { illegal, integer, list, text } from './simulator-fields.ts';
import type { Pack } from './simulator-plan.ts';
import { detailsOf } from './simulator-sources.ts';
import type { WireObject } from './wire.ts';

const packUnits = 10_000;
/** 2026-01-01 in Unix ms: a pack that was there before anyone asked. */
const packBoughtAt = Date.UTC(2026, 0, 1);
/** The documentation allows one request a second. */
const askedEveryMs = 1000;

const packs: { pack: Pack; name: string; id: string }[] = [
  { pack: 'video', name: 'Sandbox video pack', id: '913827032734642185' },
  { pack: 'image', name: 'Sandbox image pack', id: '913827032734642186' },
  { pack: 'try-on', name: 'Sandbox try-on pack', id: '913827032734642187' },
];

const milliUnits = (task: SimulatedTask): number => Math.round(Number(detailsOf(task).units) * 1000);

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
  const wanted = request.query.get('resource_pack_name');
  const tasks = host.succeededTasks('kling', account);
  return answerData({
    code: 0,
    msg: 'success',
    resource_pack_subscribe_infos: packs
      .filter(({ name }) => !wanted || name === wanted)
      .map(({ pack, name, id }) => {
        const used = tasks.reduce((sum, task) => sum + (task.pack === pack ? milliUnits(task) : 0), 0);
        const remaining = Math.max(0, packUnits * 1000 - used) / 1000;
        return {
          resource_pack_name: name,
          resource_pack_id: id,
          resource_pack_type: 'decreasing_total',
          total_quantity: packUnits,
          remaining_quantity: remaining,
          purchase_time: packBoughtAt,
          effective_time: packBoughtAt,
          invalid_time: packBoughtAt + 10 * 365 * 86_400_000,
          status: remaining > 0 ? 'online' : 'runOut',
        };
      }),
  });
}

const filterKeys = ['api_key_name', 'product_type', 'package_name', 'package_id'];
const resolutions: Record<string, string> = { std: '720p', pro: '1080p', '4k': '4k' };

/** `POST /account/billing/package`: every deduction of a time, oldest first. */
export function answerPackageBills(body: WireObject, account: string, host: SimulatorHost): SimulatorAnswer {
  const { from, to, limit, passed } = readPage(body);
  const filters = readFilters(body);
  const left: Record<string, number> = {};
  const bills = host.succeededTasks('kling', account).flatMap((task): WireObject[] => {
    const taken = milliUnits(task);
    const pack = packs.find((one) => one.pack === task.pack);
    const at = task.endsAt ?? task.createdAt;
    if (taken === 0 || !pack) return [];
    const before = left[pack.id] ?? packUnits * 1000;
    left[pack.id] = before - taken;
    if (at < from || at > to) return [];
    return [billOf(task, pack, at, before, taken)];
  });
  const matching = bills.filter((bill) => filters(bill));
  return answerData(pageOf(matching, passed, limit));
}

function billOf(
  task: SimulatedTask,
  pack: (typeof packs)[number],
  at: number,
  before: number,
  taken: number,
): WireObject {
  const details = detailsOf(task);
  return {
    package_id: pack.id,
    package_name: pack.name,
    product_type: pack.pack,
    task_id: task.taskId,
    api_key_name: 'sandbox',
    product_function: task.path.split('/').at(-1) ?? '',
    model_name: details.model ?? '',
    resolution: resolutions[details.mode ?? 'std'] ?? '',
    duration: details.seconds,
    refer_video_input: details.parent !== undefined,
    video_sound: details.sound ? 'native' : 'off',
    voice_control: false,
    deduction_time: at,
    unit_before_deduction: String(before / 1000),
    deduction_amount: String(taken / 1000),
    unit_after_deduction: String((before - taken) / 1000),
  };
}

/** `POST /account/billing/balance`: the sandbox pays by packs, so no money ever moved. */
export function answerBalanceBills(body: WireObject): SimulatorAnswer {
  const { limit, passed } = readPage(body);
  return answerData(pageOf([], passed, limit));
}

function pageOf(rows: WireObject[], passed: number, limit: number): Json {
  const detail = rows.slice(passed, passed + limit);
  const next = passed + detail.length;
  const hasMore = next < rows.length;
  return {
    result: { detail, count: detail.length },
    next_cursor: hasMore ? String(next) : '',
    has_more: hasMore,
  };
}

function readPage(body: WireObject): { from: number; to: number; limit: number; passed: number } {
  const [from, to] = ['start_time', 'end_time'].map((field) => {
    const value = String(body[field] ?? '');
    if (!/^\d{1,16}$/.test(value)) throw illegal(field, 'must be a time in Unix milliseconds');
    return Number(value);
  });
  const cursor = text(body, 'cursor', 20) || '0';
  if (!/^\d{1,9}$/.test(cursor)) throw illegal('cursor', 'is none of ours');
  return { from: from!, to: to!, limit: integer(body, 'limit', 1, 500) ?? 100, passed: Number(cursor) };
}

function readFilters(body: WireObject): (bill: WireObject) => boolean {
  const filters = list(body, 'filters', 10).map((entry, index) => {
    const key = text(entry, 'key', 40, `filters[${index}].`) ?? '';
    const values = entry['values'];
    if (!filterKeys.includes(key)) {
      throw illegal(`filters[${index}].key`, `must be one of ${filterKeys.join(', ')}`);
    }
    if (!Array.isArray(values)) throw illegal(`filters[${index}].values`, 'must be an array');
    return { key, values: values.map(String) };
  });
  return (bill) => filters.every(({ key, values }) => values.includes(String(bill[key])));
}
