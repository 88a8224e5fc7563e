/**
 * Whether a far gateway finds tasks by the handle we gave them. Some do (Reelay, and relays that pass the field on to
 * the official platform), some drop it (new-api); nothing they say about themselves tells which. So a "not found" only
 * counts after the far side has found another task of ours by its handle: that one we know to be there.
 */
import type { Channel } from '../../core/ports.ts';
import { UpstreamError } from '../../core/errors.ts';
import { call } from './call.ts';
import { readTask } from './answer.ts';
import type { FarTask } from './answer.ts';
import { saysUnknownTask } from './errors.ts';
import { VIDEOS_DOOR } from './doors.ts';
import type { Door } from './doors.ts';
import { objectsIn } from './wire.ts';

/** A task that is certainly there: what we called it, and what the far side calls it. */
interface Witness {
  door: Door;
  handle: string;
  taskId: string;
}

/** More channels than anyone has; beyond it what was seen is forgotten. */
const channelsMax = 1000;
const seen = new Map<string, Witness>();

function keyOf(channel: Channel, door: Door): string {
  return `${channel.id}\n${channel.baseUrl}\n${door}`;
}

/** Notes a create that was answered. */
export function rememberHandle(channel: Channel, witness: Witness): void {
  if (seen.size >= channelsMax) seen.clear();
  seen.set(keyOf(channel, witness.door), witness);
}

/** By id or handle; null when the far side does not know it. */
export async function findTask(
  door: Door,
  id: string,
  channel: Channel,
  signal: AbortSignal,
): Promise<FarTask | null> {
  let task: FarTask | null;
  try {
    task = readTask(
      await call({ method: 'GET', path: `${door}/${encodeURIComponent(id)}` }, channel, signal),
    );
  } catch (error) {
    if (saysUnknownTask(error)) return null;
    throw error;
  }
  if (task) return task;
  throw new UpstreamError('ambiguous', 'The upstream answered a query without a task.');
}

/**
 * By our handle. An answer that only repeats what it was asked for proves nothing: the task must have another name
 * over there, or show the handle as such.
 */
export async function findByHandle(
  door: Door,
  handle: string,
  channel: Channel,
  signal: AbortSignal,
): Promise<FarTask | null> {
  const task = await findTask(door, handle, channel, signal);
  return task && (task.handle === handle || (task.handle === null && task.taskId !== handle)) ? task : null;
}

/** Whether "not found" can be believed of this door. Throws UpstreamError where the far side could not be asked. */
export async function findsByHandle(door: Door, channel: Channel, signal: AbortSignal): Promise<boolean> {
  const finds = async (witness: Witness | null | undefined): Promise<boolean> => {
    if (!witness) return false;
    const found = await findByHandle(door, witness.handle, channel, signal);
    return found?.taskId === witness.taskId;
  };
  // What is remembered may be so old that nobody knows it any more.
  return (await finds(seen.get(keyOf(channel, door)))) || finds(await listedWitness(door, channel, signal));
}

/** After a restart nothing is remembered: the newest tasks of a list may show their handles. */
async function listedWitness(door: Door, channel: Channel, signal: AbortSignal): Promise<Witness | null> {
  if (door === VIDEOS_DOOR) return null;
  try {
    const body = await call({ method: 'GET', path: `${door}?pageNum=1&pageSize=30` }, channel, signal);
    for (const entry of objectsIn(body['data'])) {
      const task = readTask(entry);
      if (task?.handle) return { door, handle: task.handle, taskId: task.taskId };
    }
    return null;
  } catch (error) {
    // It has no lists: then there is no witness either.
    if (error instanceof UpstreamError && (error.kind === 'channel' || error.kind === 'rejected'))
      return null;
    throw error;
  }
}
