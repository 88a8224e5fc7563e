/** Takes callbacks of tasks and remembers what each message said, however often it came. */
import { createServer, type Server } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import type { Report } from './report.ts';

interface Message {
  bodies: Set<string>;
  posts: number;
  taskId: string;
  status: string;
}

export class CallbackReceiver implements AsyncDisposable {
  readonly #messages = new Map<string, Message>();
  readonly #server: Server;
  url = '';

  constructor() {
    this.#server = createServer(async (request, response) => {
      const chunks: Buffer[] = [];
      try {
        for await (const chunk of request) chunks.push(chunk as Buffer);
      } catch {
        // The gateway died while it spoke: what it said does not count.
        return;
      }
      const text = Buffer.concat(chunks).toString();
      const id = String(request.headers['webhook-id']);
      const { task_id: taskId, task_status: status } = JSON.parse(text) as Record<string, string>;
      const message = this.#messages.get(id) ?? {
        bodies: new Set(),
        posts: 0,
        taskId: taskId!,
        status: status!,
      };
      this.#messages.set(id, message);
      message.bodies.add(text);
      message.posts++;
      response.end();
    });
  }

  async listen(): Promise<void> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    this.url = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/told`;
  }

  /** Tasks whose end was told. */
  ended(): Set<string> {
    const final = [...this.#messages.values()].filter(({ status }) => /^(succeed|failed)$/.test(status));
    return new Set(final.map(({ taskId }) => taskId));
  }

  /** Puts what was heard into the report: `due` are the tasks whose callers gave the URL. */
  audit(report: Report, due: Iterable<string>): void {
    const messages = [...this.#messages.values()];
    const posts = messages.reduce((sum, message) => sum + message.posts, 0);
    report.figure('callbacks told (POSTs)', `${messages.length} (${posts})`);
    const told = this.ended();
    const untold = [...due].filter((id) => !told.has(id));
    report.demand(
      'every caller with a callback URL was told of the end',
      untold.length === 0,
      untold.slice(0, 5),
    );
    const changed = messages.filter(({ bodies }) => bodies.size > 1);
    report.demand(
      'what was told again was told in the same bytes',
      changed.length === 0,
      changed.slice(0, 2),
    );
    const ends = Map.groupBy(
      messages.filter(({ status }) => /^(succeed|failed)$/.test(status)),
      ({ taskId }) => taskId,
    );
    const twice = [...ends].filter(([, of]) => of.length > 1);
    report.demand('one message of one end for each task', twice.length === 0, twice.slice(0, 2));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }
}
