/** Tells other nodes what a commit touched, and hears it from them. */
import { systemClock, type Timer } from '../../lib/clock.ts';
import type { Topics } from '../topics.ts';
import type { Connection, Query } from './connection.ts';

const CHANNEL = 'reelay';
/** The server refuses 8,000 bytes and more. */
const PAYLOAD_BYTES_MAX = 7_900;

/** How long to wait before the next try to listen again: doubled each time. */
const RETRY_MS_MIN = 100;
const RETRY_MS_MAX = 5_000;
/** A session that nobody ends and nobody hears (a cut network) is found out by asking it something. */
const HEARTBEAT_MS = 10_000;
const HEARTBEAT_ANSWER_MS = 5_000;

/** Statements that tell of topics when the transaction they are part of is committed. */
export function notifications(topics: string[]): Query[] {
  const payloads: string[] = [];
  let part: string[] = [];
  let bytes = 2;
  for (const topic of topics) {
    const size = Buffer.byteLength(JSON.stringify(topic)) + 1;
    if (bytes + size > PAYLOAD_BYTES_MAX && part.length > 0) {
      payloads.push(JSON.stringify(part));
      part = [];
      bytes = 2;
    }
    part.push(topic);
    bytes += size;
  }
  if (part.length > 0) payloads.push(JSON.stringify(part));
  return payloads.map((payload) => ({
    name: 'notify',
    text: 'select pg_notify($1, $2)',
    values: [CHANNEL, payload],
  }));
}

export interface Listener {
  close(): Promise<void>;
}

/**
 * Publishes what other nodes' commits touched. While nobody listened something may have been missed: after every new
 * beginning all topics are published. `isOwn` tells our own sessions, whose commits are published here already.
 */
export async function startListener(
  open: () => Promise<Connection>,
  topics: Topics,
  isOwn: (processId: number) => boolean,
): Promise<Listener> {
  let session: Connection | null = null;
  let timer: Timer | null = null;
  let retryMs = RETRY_MS_MIN;
  let closed = false;

  async function subscribe(): Promise<void> {
    const opened = await open();
    opened.onNotification((processId, payload) => {
      if (!isOwn(processId)) topics.publish(JSON.parse(payload) as string[]);
    });
    try {
      await opened.execute({ text: `listen ${CHANNEL}` });
    } catch (error) {
      opened.destroy();
      throw error;
    }
    if (closed) {
      await opened.close();
      return;
    }
    session = opened;
    retryMs = RETRY_MS_MIN;
    opened.onEnd(() => {
      session = null;
      if (!closed) wait(retryMs, again);
    });
    wait(HEARTBEAT_MS, () => void beat(opened));
  }

  async function again(): Promise<void> {
    try {
      await subscribe();
    } catch {
      retryMs = Math.min(RETRY_MS_MAX, retryMs * 2);
      if (!closed) wait(retryMs, again);
      return;
    }
    topics.publishAll();
  }

  async function beat(beating: Connection): Promise<void> {
    const deadline = systemClock.setTimeout(() => beating.destroy(), HEARTBEAT_ANSWER_MS);
    try {
      await beating.execute({ text: 'select 1' });
      if (session === beating) wait(HEARTBEAT_MS, () => void beat(beating));
    } catch {
      // Its end is heard of by `onEnd`.
    } finally {
      systemClock.clearTimeout(deadline);
    }
  }

  function wait(delayMs: number, next: () => void): void {
    if (timer) systemClock.clearTimeout(timer);
    timer = systemClock.setTimeout(next, delayMs);
  }

  await subscribe();
  return {
    async close() {
      closed = true;
      if (timer) systemClock.clearTimeout(timer);
      await session?.close();
    },
  };
}
