/**
 * Duties over pg-boss: each is a job of an exclusive queue, of which there is one waiting or in hand for a name. Whoever
 * holds it is on duty; it is never done, only handed back. Every node that stands for a duty puts its job there, so that
 * none is lost with a node.
 */
import type { Clock, Duties, Ongoing } from '../core/ports.ts';
import { Loop } from '../lib/loop.ts';
import { HEARTBEAT_SECONDS, type Boss } from './boss.ts';
import { Claims, type Claim } from './claims.ts';

export interface PgBossDutiesOptions {
  boss: Boss;
  /** Must not be set back. */
  clock: Clock;
  onError: (error: unknown, what: string) => void;
}

const QUEUE = 'duties';
/** How soon the duties of a dead node are noticed to be free. */
const LOOK_EVERY_MS = 500;
/** How soon a duty comes back whose job got lost, with a node that died while it handed it back. */
const PUT_EVERY_MS = 5_000;
/** Taken at once; the busier a node is the longer it leaves the rest to others. */
const TAKE_MAX = 4;
const MODESTY_MS = 50;
const MODESTY_MS_MAX = 300;
/** After so long a duty is handed back, so that nodes which came later get their share. */
const TERM_MS = 3_600_000;
/** The engine's own end of a claim: never reached. */
const EXPIRE_SECONDS = 86_400;
/** Work in hand may take this long to end before a duty is handed back; it is compared before it is set anyway. */
const HAND_BACK_MS = 3_000;
/** As often as nodes may die. */
const RETRIES = 1_000_000_000;

type Begin = Parameters<Duties['want']>[1];

interface Duty {
  name: string;
  begin: Begin;
  claim: Claim | null;
  since: number;
  work: Promise<Ongoing> | null;
}

export function createPgBossDuties({ boss, clock, onError }: PgBossDutiesOptions): Duties {
  const duties = new Map<string, Duty>();
  const claims = new Claims({ boss, queue: QUEUE, clock, onError: (error) => onError(error, 'duties') });
  /** Work that was told to stop and still finishes what is in hand. */
  const ending = new Set<Promise<void>>();
  let prepared = false;
  let putAt = 0;
  let isStopping = false;
  const loop = new Loop({
    clock,
    step,
    onError: (error) => onError(error, 'duties'),
    retryMs: LOOK_EVERY_MS,
  });
  const open = (): Duty[] => [...duties.values()].filter((duty) => duty.claim === null);
  const modestyMs = (): number => Math.min(MODESTY_MS_MAX, MODESTY_MS * (duties.size - open().length));

  async function step(): Promise<number> {
    if (!prepared) {
      await boss.prepare(QUEUE, {
        policy: 'exclusive',
        heartbeatSeconds: HEARTBEAT_SECONDS,
        expireInSeconds: EXPIRE_SECONDS,
        retryLimit: RETRIES,
        retryDelay: 0,
        deleteAfterSeconds: 1,
      });
      prepared = true;
    }
    await endTerms();
    if (open().length === 0) return Math.min(...[...duties.values()].map(({ since }) => since + TERM_MS));
    const now = clock.now();
    if (now >= putAt) {
      await put(open());
      putAt = now + PUT_EVERY_MS;
    }
    const taken = await claims.take(TAKE_MAX);
    const unknown = taken.filter((claim) => !take(claim));
    // Somebody knows more than we do: they put it there again.
    if (unknown.length > 0) await claims.complete(unknown);
    return clock.now() + modestyMs() + (taken.length === TAKE_MAX ? 0 : LOOK_EVERY_MS);
  }

  async function put(wanted: { name: string }[]): Promise<void> {
    const jobs = wanted.map(({ name }) => ({ singletonKey: name, data: { name } }));
    await boss.pgBoss.insert(QUEUE, jobs);
  }

  function take(claim: Claim): boolean {
    const duty = duties.get((claim.data as { name: string }).name);
    if (duty === undefined || duty.claim !== null) return false;
    duty.claim = claim;
    duty.since = clock.now();
    const work = duty.begin(claim.isOurs);
    duty.work = work;
    work.catch((error: unknown) => {
      onError(error, `duty ${duty.name}`);
      void handBack([duty]).catch((cause: unknown) => onError(cause, `duty ${duty.name}`));
    });
    claim.lost.addEventListener('abort', () => {
      if (duty.claim !== claim) return;
      onError(claim.lost.reason, `duty ${duty.name}`);
      release(duty);
      // Not waited for: somebody else is on duty already.
      void stopWork(work, duty.name);
      loop.wake();
    });
    return true;
  }

  function release(duty: Duty): void {
    duty.claim = null;
    duty.work = null;
  }

  function stopWork(work: Promise<Ongoing>, name: string): Promise<void> {
    const stopped = work
      .then((ongoing) => ongoing.stop())
      .catch((error: unknown) => onError(error, `duty ${name}`))
      .finally(() => ending.delete(stopped));
    ending.add(stopped);
    return stopped;
  }

  async function endTerms(): Promise<void> {
    const now = clock.now();
    const over = [...duties.values()].filter(({ claim, since }) => claim !== null && now - since >= TERM_MS);
    if (over.length > 0) await handBack(over);
  }

  /** Stops the work, then puts the duties where the next node that looks finds them. */
  async function handBack(held: Duty[]): Promise<void> {
    const ending = held.flatMap(({ name, claim, work }) => (claim && work ? [{ name, claim, work }] : []));
    const stopped = Promise.all(ending.map(({ work, name }) => stopWork(work, name)));
    await atMost(HAND_BACK_MS, stopped);
    const ours = ending.filter(({ claim }) => !claim.lost.aborted);
    for (const duty of held) release(duty);
    await claims.complete(ours.map(({ claim }) => claim));
    await put(ending);
  }

  function atMost(limitMs: number, work: Promise<unknown>): Promise<void> {
    return new Promise((resolve) => {
      const timer = clock.setTimeout(resolve, limitMs);
      void work.finally(() => {
        clock.clearTimeout(timer);
        resolve();
      });
    });
  }

  return {
    async want(name, begin) {
      if (isStopping || duties.has(name)) return;
      duties.set(name, { name, begin, claim: null, since: 0, work: null });
      putAt = 0;
      loop.wake();
    },
    async stop() {
      isStopping = true;
      await loop.stop();
      const held = [...duties.values()].filter(({ claim }) => claim !== null);
      // Out of reach: then they are free when the heartbeats are missed.
      if (held.length > 0) await handBack(held).catch((error: unknown) => onError(error, 'duties'));
      duties.clear();
      await Promise.all(ending);
      await claims.stop();
    },
  };
}
