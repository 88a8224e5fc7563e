/**
 * Proof 4: a receiver that fails three times in ten gets every event, each with the same bytes however often it is
 * sent, and signed so that clients we did not write accept it; a receiver that hangs delays nobody.
 */
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { OpenAI } from 'openai-7';
import { Webhook } from 'standardwebhooks';
import { call } from '../test/helpers/processes.ts';
import { comeToRest } from './books.ts';
import { create, idOf } from './callers.ts';
import { Report } from './report.ts';
import { World } from './world.ts';

/** Of ten POSTs these fail, whatever they are about. */
const FAILING = new Set([0, 3, 7]);
/**
 * A message that has failed so often is taken in. Events of a task come in order, so their retries add up, and
 * receivers accept signatures of the last five minutes only.
 */
const FAILURES_MAX = 2;
/** The clock is moved on between looks, so that retries after half a minute need not be sat out. */
const CLOCK_STEP_MS = 35_000;
const CLOCK_STEPS_MAX = 7;
const PATIENCE_MS = 150_000;
const EVENT_TYPES = ['task.queued', 'task.completed', 'video.completed'];
/** Loopback and a busy machine; the hanging receiver would cost many times as much. */
const FIRST_POST_MS_MAX = 10_000;

interface Message {
  bodies: Set<string>;
  posts: number;
  failures: number;
  isDelivered: boolean;
  /** When its first POST came, Unix ms. */
  firstAt: number;
}

class Receiver implements AsyncDisposable {
  readonly messages = new Map<string, Message>();
  readonly unverified: string[] = [];
  secret = '';
  url = '';
  /** Requests that came, whatever became of them. */
  asked = 0;
  /** POSTs that were answered well, or might have been. */
  #judged = 0;
  readonly #server: Server;

  constructor(hangs: boolean) {
    this.#server = createServer((request, response) => {
      this.asked++;
      // Takes the request and never says a word.
      if (hangs) return void request.resume();
      this.#take(request).then(
        (status) => response.writeHead(status).end(),
        () => response.destroy(),
      );
    });
  }

  async listen(): Promise<void> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    this.url = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/hook`;
  }

  async #take(request: IncomingMessage): Promise<number> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString();
    const headers = request.headers as Record<string, string>;
    const id = headers['webhook-id']!;
    const message = this.messages.get(id) ?? {
      bodies: new Set(),
      posts: 0,
      failures: 0,
      isDelivered: false,
      firstAt: Date.now(),
    };
    this.messages.set(id, message);
    message.bodies.add(text);
    message.posts++;
    try {
      new Webhook(this.secret).verify(text, headers);
      await new OpenAI({ apiKey: 'none' }).webhooks.unwrap(text, headers, this.secret);
    } catch (error) {
      this.unverified.push(`${String(error)}: ${text.slice(0, 200)}`);
    }
    if (message.failures < FAILURES_MAX && FAILING.has(this.#judged++ % 10)) {
      message.failures++;
      return message.failures % 2 === 0 ? 503 : 500;
    }
    message.isDelivered = true;
    return 204;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }
}

export async function webhooks({ tasks }: { tasks: number }): Promise<Report> {
  const report = new Report('4. A webhook receiver that fails three times in ten, beside one that hangs');
  await using world = await World.open({
    speed: 50,
    script: 'chaos/jumping-gateway.ts',
    env: { REELAY_ALLOW_PRIVATE: '127.0.0.1', CHAOS_CLOCK_STEP_MS: String(CLOCK_STEP_MS) },
  });
  await using flaky = new Receiver(false);
  await using hanging = new Receiver(true);
  const account = await world.openAccount('100000');
  for (const receiver of [hanging, flaky]) {
    await receiver.listen();
    const answer = await call(`${world.url}/v1/webhook_endpoints`, {
      key: account.key,
      json: { name: 'chaos', url: receiver.url, event_types: EVENT_TYPES },
    });
    receiver.secret = answer.body.signing_secret;
  }

  const told: string[] = [];
  let crashedAt = Infinity;
  for (let number = 0; number < tasks; number++) {
    // A crash in the middle: what was owed is still owed.
    if (number === Math.floor(tasks / 2)) {
      crashedAt = Date.now();
      await world.gateway.kill();
      await world.startGateway();
    }
    told.push(idOf(await create(world, account, number, `film ${number}`)));
  }
  report.demand('all tasks come to their end', (await comeToRest(world)) === 0);
  const expected = told.length * EVENT_TYPES.length;
  const delivered = (): number =>
    [...flaky.messages.values()].filter((message) => message.isDelivered).length;
  const until = performance.now() + PATIENCE_MS;
  for (let step = 0; delivered() < expected && performance.now() < until; step++) {
    await sleep(3_000);
    // A timer that is set already runs on: then the retry is sat out after all.
    if (step < CLOCK_STEPS_MAX) world.gateway.child.kill('SIGUSR2');
  }
  await sleep(500);

  const messages = [...flaky.messages.values()];
  const posts = messages.reduce((sum, message) => sum + message.posts, 0);
  const failures = messages.reduce((sum, message) => sum + message.failures, 0);
  report.figure('messages due', expected);
  report.figure('POSTs', posts);
  report.figure(
    'of them answered with 500 or 503',
    `${failures} (${Math.round((100 * failures) / posts)} %)`,
  );
  report.figure('most POSTs of one message', Math.max(...messages.map((message) => message.posts)));
  report.demand('there were failures, and a receiver that hung', failures > 0 && hanging.asked > 0, {
    failures,
    hanging: hanging.asked,
  });
  report.demand('100 % delivered', delivered() === expected && messages.length === expected, {
    delivered: delivered(),
    messages: messages.length,
    expected,
  });
  const changed = messages.filter(({ bodies }) => bodies.size !== 1);
  report.demand(
    'bodies are byte-identical across retries',
    changed.length === 0,
    changed.map(({ bodies }) => [...bodies]),
  );
  report.demand(
    'standardwebhooks and the openai SDK verify every signature',
    flaky.unverified.length === 0,
    flaky.unverified.slice(0, 3),
  );

  const waits = messages
    .filter((message) => !isHeldUp(message, crashedAt))
    .map(waitMs)
    .filter(Number.isFinite)
    .sort((a, b) => a - b);
  report.figure(
    'from `task.queued` to its first POST, median (most)',
    `${waits[waits.length >> 1]} ms (${waits.at(-1)} ms)`,
  );
  report.demand(
    'the hanging receiver delays nobody',
    waits.length > 0 && waits.at(-1)! < FIRST_POST_MS_MAX,
    waits.slice(-5),
  );
  return report;
}

interface Told {
  type: string;
  /** When it happened, Unix ms; some bodies tell whole seconds. */
  at: number;
}

function toldBy({ bodies }: Message): Told {
  const body = JSON.parse([...bodies][0]!) as Record<string, string | number>;
  const { type, timestamp, created_at: createdAt } = body;
  return {
    type: String(type),
    at: typeof timestamp === 'string' ? Date.parse(timestamp) : Number(createdAt) * 1000,
  };
}

/** It happened before the crash and was told after it: how long a start takes is not the question here. */
function isHeldUp(message: Message, crashedAt: number): boolean {
  return toldBy(message).at <= crashedAt && message.firstAt >= crashedAt;
}

/** How long the first POST of a message came after its event, up to a second too much. */
function waitMs(message: Message): number {
  const { type, at } = toldBy(message);
  // Later events of a task are held back while an earlier one is tried again; the first waits for nobody.
  return type === 'task.queued' ? message.firstAt - at : NaN;
}
