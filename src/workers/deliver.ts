/**
 * Takes deliveries that are due and sends them. Receivers are kept apart: each has a lane with few hands of its own,
 * so that one that hangs delays nobody else.
 */
import type { ClaimedDelivery } from '../core/webhook-ports.ts';
import type { FlowContext } from '../flows/context.ts';
import { deliver, DELIVERY_TIMEOUT_MS } from '../flows/deliver.ts';
import { Loop } from '../lib/loop.ts';
import { SetBack } from '../lib/set-back.ts';

/** POSTs at once to one receiver; to one that hangs a single one, until it answers again. */
const LANE_HANDS = 4;
/** POSTs at once in all: sockets, not work. */
const HANDS = 512;
/** Lanes looked at together. */
const LANES_STEP = 200;
/** Past the POST there are only a few statements left. */
const LEASE_MS = DELIVERY_TIMEOUT_MS + 15_000;
/** Another node may have put something back without our hearing of it. */
const LOOK_EVERY_MS = 60_000;
const PRUNE_EVERY_MS = 3_600_000;
const PRUNE_BATCH = 500;
/** How long settled deliveries stay in the log where nobody says otherwise. */
const KEPT_MS = 30 * 86_400_000;
/** A receiver that asks for patience gets it, but its lane is looked at again every so often. */
const PAUSE_MS_MAX = 3_600_000;

interface Lane {
  running: number;
  hangs: boolean;
  pausedUntil: number;
}

/** Starts sending; `stop()` takes nothing more and waits for what is in hand. */
export function startDeliveries(
  ctx: FlowContext,
  onError: (error: unknown, where: string) => void,
  keptMs = KEPT_MS,
): { stop(): Promise<void> } {
  const lanes = new Map<string, Lane>();
  const inHand = new Set<Promise<void>>();
  const setBack = new SetBack();
  /** By how much the clock was put back, until the rows know. */
  let behindMs = 0;
  let pruneAt = 0;
  /** Where the last look ended for want of hands: the next one goes on from there. */
  let from = '';
  const loop = new Loop({
    clock: ctx.clock,
    onError: (error) => onError(error, 'deliveries'),
    async step() {
      const at = ctx.clock.now();
      await noticeSetBack(at);
      await take(at);
      if (at >= pruneAt) {
        const pruned = await ctx.store.webhooks.prune({ before: at - keptMs, limit: PRUNE_BATCH });
        pruneAt = pruned === PRUNE_BATCH ? at : at + PRUNE_EVERY_MS;
      }
      const next = (await ctx.store.webhooks.nextDeliveryAfter(at)) ?? Infinity;
      const resumed = [...lanes.values()].map((lane) => lane.pausedUntil).filter((until) => until > at);
      return Math.min(next, at + LOOK_EVERY_MS, ...resumed);
    },
  });
  const unsubscribe = ctx.store.onCommit('deliveries', () => loop.wake());
  loop.wake();

  /** What waits for a later try would wait until it is again as late as it was. */
  async function noticeSetBack(at: number): Promise<void> {
    const byMs = setBack.take(at);
    for (const lane of lanes.values()) lane.pausedUntil -= byMs;
    pruneAt -= byMs;
    behindMs += byMs;
    if (behindMs > 0) await ctx.store.webhooks.bringForward(behindMs);
    behindMs = 0;
  }

  /** Goes once through the lanes, beginning where the last look was cut off. */
  async function take(at: number): Promise<void> {
    const start = from;
    from = '';
    for (let after: string | null = start; after !== null && inHand.size < HANDS;) {
      const found: { lane: string; nextAt: number }[] = await ctx.store.webhooks.lanes(after, LANES_STEP);
      const due = found
        .filter(({ nextAt }) => nextAt <= at)
        .map(({ lane }) => ({ lane, limit: handsFor(lane, at) }));
      await takeFrom(
        due.filter(({ limit }) => limit > 0),
        at,
      );
      after = found.length < LANES_STEP ? null : (found.at(-1)?.lane ?? null);
      if (inHand.size >= HANDS) from = after ?? '';
      // The part before the starting point has its turn as well.
      if (after === null && start !== '' && inHand.size < HANDS) loop.wake();
    }
  }

  async function takeFrom(due: { lane: string; limit: number }[], at: number): Promise<void> {
    let free = HANDS - inHand.size;
    const wanted: typeof due = [];
    for (const { lane, limit } of due) {
      if (free === 0) break;
      const share = Math.min(limit, free);
      free -= share;
      wanted.push({ lane, limit: share });
    }
    if (wanted.length === 0) return;
    const claimed = await ctx.store.webhooks.claim({ lanes: wanted, at, leaseUntil: at + LEASE_MS });
    for (const delivery of claimed) begin(delivery);
  }

  function handsFor(name: string, at: number): number {
    const lane = lanes.get(name);
    if (lane === undefined) return LANE_HANDS;
    if (lane.pausedUntil > at) return 0;
    return (lane.hangs ? 1 : LANE_HANDS) - lane.running;
  }

  function begin(delivery: ClaimedDelivery): void {
    const lane = lanes.get(delivery.lane) ?? { running: 0, hangs: false, pausedUntil: 0 };
    lanes.set(delivery.lane, lane);
    lane.running++;
    const work = send(delivery, lane)
      // Should the outcome not be noted, the lease runs out and the message is sent again: its id tells.
      .catch((error: unknown) => onError(error, `delivery ${delivery.id}`))
      .finally(() => {
        lane.running--;
        inHand.delete(work);
        if (lane.running === 0 && !lane.hangs && lane.pausedUntil <= ctx.clock.now())
          lanes.delete(delivery.lane);
        loop.wake();
      });
    inHand.add(work);
  }

  async function send(delivery: ClaimedDelivery, lane: Lane): Promise<void> {
    ctx.faults('deliver:before-post');
    const { pauseMs, timedOut, ...result } = await deliver(ctx, delivery);
    ctx.faults('deliver:after-post');
    lane.hangs = timedOut;
    lane.pausedUntil = pauseMs === 0 ? 0 : ctx.clock.now() + Math.min(pauseMs, PAUSE_MS_MAX);
    await ctx.store.webhooks.settle(result);
  }

  return {
    async stop() {
      unsubscribe();
      await loop.stop();
      await Promise.all(inHand);
    },
  };
}
