/** Data directories as they look after a long time: a million finished tasks, or very many in flight. */
import { setTimeout as sleep } from 'node:timers/promises';
import { request } from 'undici';
import { adminOf, gatewayEnvironment, newCaller, startLoadedGateway, type Caller } from './gateway.ts';
import { startServer } from './child.ts';
import { multiplyTask } from './multiply.ts';
import { newDataDirectory } from './scratch.ts';

export interface Filled {
  directory: string;
  caller: Caller;
  /** Everybody who has tasks, the caller first. */
  accounts: string[];
}

export interface FinishedTasks extends Filled {
  /** Who deletes nearly every task once it is fetched. */
  tidy: Caller;
}

const MODEL = 'kling-v1-6';
const OTHER_MODELS = ['kling-v1-5', 'kling-v2-1', 'kling-v2-5-turbo', 'kling-v3-omni'];
const OTHER_ACCOUNTS = 49;
const DAY_MS = 86_400_000;

/**
 * Finished tasks of the last thirty days: every second one of one account, every tenth of one that hides all but one in a
 * thousand of its own, the others of 49; five models; of a hundred 94 completed, 5 failed, 1 cancelled; one in 100,000 of
 * a tier that nobody else has.
 */
export async function fillFinished(scratch: string, count: number): Promise<FinishedTasks> {
  const directory = newDataDirectory(scratch);
  const { caller, tidy, others } = await makeFinishedTask(directory);
  const from = Date.now() - 30 * DAY_MS;
  multiplyTask(directory, count, (index) => {
    const isTidy = index % 10 === 5;
    const other = isTidy ? tidy.accountId : others[(index >> 1) % others.length]!;
    const state = index % 100 === 7 ? 'cancelled' : index % 20 === 3 ? 'failed' : 'completed';
    const createdAt = from + Math.floor((index / count) * 29 * DAY_MS);
    return {
      createdAt,
      replace: { [caller.accountId]: index % 2 === 0 ? caller.accountId : other },
      task: {
        model: index % 8 < 4 ? MODEL : OTHER_MODELS[index % 4]!,
        tier: index % 100_000 === 50_000 ? 'rare' : `tier-${index % 40}`,
        surface: index % 3 === 0 ? 'openai.videos' : 'kling.text2video',
        state,
        hidden_at: isTidy && index % 10_000 !== 5 ? createdAt + DAY_MS : null,
        error: state === 'completed' ? null : '{"code":"task_failed","message":"The model gave up."}',
      },
    };
  });
  return { directory, caller, tidy, accounts: [caller.accountId, ...others, tidy.accountId] };
}

/** The one that is copied: made by the sandbox, from its create to its charge. */
async function makeFinishedTask(
  directory: string,
): Promise<{ caller: Caller; tidy: Caller; others: string[] }> {
  await using server = await startServer({
    script: 'src/main.ts',
    cwd: directory,
    env: {
      ...gatewayEnvironment(directory),
      REELAY_SANDBOX: 'embedded',
      REELAY_SANDBOX_SPEED: '1000',
      REELAY_SANDBOX_RENDER: 'tiny',
      REELAY_DEMO: '0',
    },
  });
  const admin = adminOf(server.url);
  const caller = await newCaller(admin);
  const tidy = await newCaller(admin);
  const others: string[] = [];
  while (others.length < OTHER_ACCOUNTS) others.push((await newCaller(admin)).accountId);
  const headers = { authorization: `Bearer ${caller.apiKey}`, 'content-type': 'application/json' };
  const body = JSON.stringify({ model: MODEL, prompt: 'A cat playing with a ball of yarn', seconds: '5' });
  const created = await request(`${server.url}/v1/videos`, { method: 'POST', headers, body });
  const { id } = (await created.body.json()) as { id: string };
  for (let tries = 0; tries < 600; tries++) {
    const seen = await request(`${server.url}/v1/videos/${id}`, { headers });
    const { status } = (await seen.body.json()) as { status: string };
    if (status === 'completed') return { caller, tidy, others };
    if (status === 'failed') break;
    await sleep(100);
  }
  throw new Error(`the sandbox did not finish ${id}`);
}

/** The first id that the stub upstream gives out (`references/upstream.ts`). */
const FIRST_UPSTREAM_ID = 800_000_000_000_000_000n;

/**
 * Tasks that all run at the stub upstream, accepted ten minutes ago. The upstream was started with `count` as its
 * argument: so many ids it holds for its own.
 */
export async function fillInFlight(scratch: string, upstreamUrl: string, count: number): Promise<Filled> {
  const directory = newDataDirectory(scratch);
  const caller = await makeRunningTask(scratch, directory, upstreamUrl);
  const from = Date.now() - 600_000;
  const own = String(FIRST_UPSTREAM_ID + BigInt(count));
  multiplyTask(directory, count, (index) => ({
    createdAt: from + Math.floor(index / 1_000),
    replace: { [own]: String(FIRST_UPSTREAM_ID + BigInt(index)) },
  }));
  return { directory, caller, accounts: [caller.accountId] };
}

async function makeRunningTask(scratch: string, directory: string, upstreamUrl: string): Promise<Caller> {
  await using gateway = await startLoadedGateway({ scratch, upstreamUrl, concurrency: null, directory });
  const { url, path, headers, body } = gateway.create;
  const answer = await request(url + path, {
    method: 'POST',
    headers: { ...headers, 'content-type': 'application/json' },
    body,
  });
  await answer.body.dump();
  for (let tries = 0; (await gateway.channel()).running === 0; tries++) {
    if (tries === 100) throw new Error('the task was not submitted');
    await sleep(50);
  }
  return gateway.caller;
}
