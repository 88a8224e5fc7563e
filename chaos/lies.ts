/** Proof 3: an upstream that lies, stammers, hangs up and goes away. */
import { setTimeout as sleep } from 'node:timers/promises';
import { call } from '../test/helpers/processes.ts';
import { audit } from './books.ts';
import { create, idOf } from './callers.ts';
import { FaultyProxy, type Fault } from './faulty-proxy.ts';
import { Report } from './report.ts';
import { World, type Account } from './world.ts';

/** What the upstream is made to do, in the words of the sandbox's control API, or what befalls the wire. */
interface Lie {
  name: string;
  behaviour?: Record<string, unknown>;
  wire?: Fault;
}

const LIES: Lie[] = [
  { name: 'status goes backwards', behaviour: { status: 'backwards' } },
  { name: 'completes twice', behaviour: { status: 'twice' } },
  { name: 'every push twice', behaviour: { callbacks: 'duplicate' } },
  { name: 'false pushes that claim success', behaviour: { callbacks: 'forged' } },
  { name: 'no pushes', behaviour: { callbacks: 'off' } },
  {
    name: 'half of all requests answered with an internal error',
    behaviour: { error_rate: 0.5, error_code: '5000' },
  },
  { name: 'half of all requests answered 503', behaviour: { error_rate: 0.5, error_code: '5001' } },
  { name: 'half of all requests answered 504', behaviour: { error_rate: 0.5, error_code: '5002' } },
  { name: 'connections cut before the work is done', behaviour: { reset_rate: 0.5, reset_when: 'before' } },
  { name: 'connections cut after the work is done', behaviour: { reset_rate: 0.5, reset_when: 'after' } },
  { name: 'connections cut at the first byte of an answer', wire: 'cut-answers' },
  { name: 'half-open: answers never arrive', wire: 'swallow-answers' },
  { name: 'half-open: nothing arrives anywhere', wire: 'swallow-requests' },
  { name: 'answers after 1.4 s', behaviour: { latency_ms: 1_400 } },
];

const HONEST = {
  latency_ms: 0,
  error_rate: 0,
  error_code: null,
  reset_rate: 0,
  outage: 'none',
  status: 'honest',
  callbacks: 'on',
};

export interface LieOptions {
  tasksPerLie: number;
  /** How long each lie is told, in real milliseconds. */
  lieMs: number;
  /** How long the upstream is away, in real milliseconds. */
  outageMs: number;
  speed: number;
  /** Half-open connections are reset when the lie ends, instead of staying silent for ever. */
  cutsStalled?: boolean;
}

export async function lies(options: LieOptions): Promise<Report> {
  const { tasksPerLie, lieMs, outageMs, speed, cutsStalled = false } = options;
  const report = new Report('3. An upstream that lies');
  let proxy!: FaultyProxy;
  await using world = await World.open({
    speed,
    behaviour: { duplicates: 'accept' },
    async between(sandboxUrl) {
      proxy = new FaultyProxy(sandboxUrl);
      return proxy.listen();
    },
  });
  await using _ = proxy;
  const account = await world.openAccount('100000');
  const told: string[] = [];
  let number = 0;
  const send = async (prompt: (number: number) => string): Promise<void> => {
    const answers = await Promise.all(
      Array.from({ length: tasksPerLie }, () => create(world, account, number, prompt(number++))),
    );
    const refused = answers.filter(({ status }) => status >= 300);
    if (refused.length > 0)
      report.demand('creates are taken in whatever the upstream does', false, refused[0]!.text);
    told.push(...answers.filter(({ status }) => status < 300).map(idOf));
  };

  const unfelt: string[] = [];
  for (const lie of LIES) {
    const metBefore = proxy.met;
    // Half of them are under way when it begins, half are created into it.
    await send((number) => slow(number, lieMs, speed));
    await world.behave(lie.behaviour ?? {});
    proxy.fault = lie.wire ?? 'none';
    await send((number) => `film ${number}`);
    await forge(world, told.at(-1)!, report);
    await sleep(lieMs);
    await world.behave(HONEST);
    proxy.fault = 'none';
    if (cutsStalled) proxy.cutStalled();
    if (lie.wire !== undefined && proxy.met === metBefore) unfelt.push(lie.name);
  }
  report.figure('lies, with tasks under way and creates in each', LIES.length);
  report.figure('connections that stalled or broke on the wire', proxy.met);

  report.demand('every fault of the wire was met by connections', unfelt.length === 0, unfelt);

  const outageMinutes = (outageMs * speed) / 60_000;
  await send((number) => slow(number, outageMs, speed));
  await world.behave({ outage: 'maintenance' });
  await send((number) => `film ${number}`);
  await sleep(outageMs / 2);
  await world.behave({ outage: 'reset' });
  await sleep(outageMs / 2);
  await world.behave(HONEST);
  report.figure(
    `outage in the upstream’s time (${outageMs / 1000} s at speed ${speed})`,
    `${outageMinutes.toFixed(1)} min`,
  );

  await audit(world, report, { account, told, mustComplete: () => true });
  await auditEvents(world, account, told, report);
  return report;
}

/** Ends somewhere in the middle of what is to come. */
function slow(number: number, durationMs: number, speed: number): string {
  return `[[slow:${Math.round(((number % 10) / 10) * (durationMs / 1000) * speed)}]] film ${number}`;
}

/** Anybody can send to the address of a push; without the signature nothing comes of it. */
async function forge(world: World, taskId: string, report: Report): Promise<void> {
  const { channel_id: channel } = (await world.admin(`/tasks/${taskId}`)).task;
  for (const query of ['', '?expires=9999999999&signature=AAAA']) {
    const answer = await call(`${world.url}/callbacks/kling/${channel}/${taskId}${query}`, {
      json: {
        task_id: taskId,
        task_status: 'succeed',
        task_result: { videos: [{ url: 'http://127.0.0.1:1/x' }] },
      },
    });
    if (answer.status !== 403) report.demand('a push without its signature is refused', false, answer.text);
  }
}

/** The flight recorder of each task tells of one end only. */
async function auditEvents(world: World, account: Account, told: string[], report: Report): Promise<void> {
  const ends = /^task\.(completed|failed|cancelled)$/;
  const faulty: unknown[] = [];
  for (const id of told) {
    const { events, usage, attempts } = await world.admin(`/tasks/${id}`);
    const ended = events.filter((event: { type: string }) => ends.test(event.type));
    if (ended.length !== 1 || usage.length !== 1)
      faulty.push({ account: account.id, id, ended, usage, attempts });
  }
  report.demand('every task ended once, with one usage record', faulty.length === 0, faulty.slice(0, 2));
}
