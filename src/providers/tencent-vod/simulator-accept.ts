/** Takes a create that is in order: switches, dedup handles, the account's slots, and then the task. */
import { randomBytes } from 'node:crypto';
import type { Json } from '../../lib/json.ts';
import type { SimulatedTask, SimulatorHost } from '../kit/simulator.ts';
import { Refusal } from './simulator-errors.ts';
import { readScript } from './simulator-fate.ts';
import type { Creation, TaskDetails } from './simulator-task.ts';

export const upstream = 'tencent-vod';
/** Queries, lists and dedup handles go back this far. */
export const rememberedMs = 3 * 86_400_000;
const pack = 'aigc';
/** What an account has unless it asks for more. */
const slotsDefault = 1;
const submittedMs = 1000;

/** Whose task it is, and under which address the sandbox was asked. */
export interface Asker {
  account: string;
  subAppId: number;
  origin: string;
}

/** Throws Refusal. */
export function accept(creation: Creation, asker: Asker, host: SimulatorHost): object {
  const { account, subAppId, origin } = asker;
  const { type, input, sessionId, sessionContext, result } = creation;
  const script = readScript(creation.prompt, creation.reference);
  if (script.rejectCode !== null) throw new Refusal(script.rejectCode);
  const behaviour = host.behaviour();
  if (behaviour.duplicates === 'refuse' && isUsed(sessionId, account, host)) {
    throw new Refusal('InvalidParameterValue.SessionId');
  }
  if (host.slotsTaken(upstream, account, pack) >= (behaviour.slots ?? slotsDefault)) {
    throw new Refusal('RequestLimitExceeded');
  }
  const createdAt = host.now();
  const processingAt = createdAt + host.scaled(submittedMs);
  const isMade = script.fate.end === 'succeeded';
  const details: TaskDetails = { type, input, sessionContext, result };
  const task: SimulatedTask = {
    upstream,
    taskId: `${subAppId}-${type}-${randomBytes(16).toString('hex')}t`,
    account,
    dedupHandle: sessionId,
    path: type,
    pack,
    slots: 1,
    createdAt,
    processingAt,
    endsAt: script.fate.end === 'never' ? null : processingAt + host.scaled(creation.workMs + script.slowMs),
    fate: script.fate,
    // Pushes go to an address of the account's, which the sandbox's account has none of.
    callbackUrl: null,
    origin,
    details: details as unknown as Json,
    film: isMade ? creation.film : null,
    ...(isMade && creation.files.length > 0 ? { files: creation.files } : {}),
  };
  host.addTask(task);
  if (isMade && (result.kind === 'voice' || result.kind === 'element')) {
    // It comes into being when its task ends.
    const record = { kind: result.kind, id: result.id, data: null, createdAt: task.endsAt ?? createdAt };
    host.keepRecord({ upstream, account, ...record, deletedAt: null });
  }
  return { TaskId: task.taskId };
}

function isUsed(sessionId: string | null, account: string, host: SimulatorHost): boolean {
  if (sessionId === null) return false;
  const earlier = host.findTask(upstream, account, sessionId);
  return earlier !== null && earlier.createdAt > host.now() - rememberedMs;
}
