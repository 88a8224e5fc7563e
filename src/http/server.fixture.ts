import { Readable } from 'node:stream';
import type { FastifyInstance } from 'fastify';
import pino from 'pino';
import { z } from 'zod';
import { GatewayError } from '../core/errors.ts';
import type { Admin, Content, Dialect, Gateway, SecretKeeper } from '../core/ports.ts';
import { createTestClock, type TestClock } from '../lib/clock.ts';
import { hashApiKey } from '../lib/api-key.ts';
import { buildServer, type ServerOptions } from './server.ts';

/** A well-formed API key; the fixture knows it by its hash only. */
export const testApiKey = 'rl-000000000000000000000000000000000000000000ZZZZZZ';
export const testAdminToken = 'admin-token-for-tests';
export const linkKey = Buffer.alloc(32, 7);
export const film = Buffer.from('0123456789'.repeat(10));

/** Says back what arrived, in an error shape of its own; stands in for the real dialects. */
export const echoDialect: Dialect<FastifyInstance> = {
  id: 'echo',
  prefixes: ['/echo', '/echo/deep'],
  mount(routes) {
    routes.post(
      '/echo/things',
      {
        config: { jsonFields: ['metadata', 'content'] },
        schema: {
          body: z.looseObject({
            name: z.string().optional(),
            count: z.number().int().max(10).optional(),
            nested: z.object({ list: z.array(z.object({ text: z.string() })) }).optional(),
          }),
        },
      },
      (request) => ({ body: request.body, account: request.principal.accountId }),
    );
    routes.get('/echo/things/:id', (request) => ({ id: (request.params as { id: string }).id }));
    routes.get('/echo/fails', () => {
      throw new Error('secret cause: upstream.example.com');
    });
    routes.get('/echo/refuses', () => {
      throw new GatewayError('rate_limit_exceeded', 'Slow down.', { retryAfterMs: 1500 });
    });
  },
  renderError: (error) => ({
    status: error.code === 'not_found' ? 404 : error.code === 'internal_error' ? 500 : 400,
    body: { echo: error.code, message: error.message, param: error.param, id: error.requestId },
  }),
};

export interface Fixture {
  server: FastifyInstance;
  clock: TestClock;
  /** Lines of the log, parsed. */
  log: Record<string, unknown>[];
  pushes: { channelId: string; taskId: string; body: unknown }[];
}

/** A server whose neighbours are all made up. */
export async function startFixture(overrides: Partial<ServerOptions> = {}): Promise<Fixture> {
  const clock = createTestClock(1_800_000_000_000);
  const log: Fixture['log'] = [];
  const pushes: Fixture['pushes'] = [];
  const server = await buildServer({
    gateway: {} as Gateway,
    admin: {} as Admin,
    dialects: [echoDialect],
    counters: { count: async () => ({ count: 1, resetMs: 60_000 }) },
    authenticate(credential) {
      if (hashApiKey(credential) === hashApiKey(testApiKey)) {
        return { accountId: 'acct_1', keyId: 'key_1', responseStyle: 'superset' };
      }
      throw new GatewayError('invalid_api_key', 'Unknown key.');
    },
    isAdminToken: (token) => token === testAdminToken,
    openContent: async (taskId, file) => {
      if (taskId !== 'task_1' || file !== 'video.mp4')
        throw new GatewayError('file_not_found', 'No such file.');
      return filmContent(clock.now());
    },
    openInput: async (key) => {
      if (key !== 'inputs/acct_1/film.mp4') throw new GatewayError('file_not_found', 'No such file.');
      return filmContent(clock.now());
    },
    onPush: async (channelId, taskId, body) => {
      if (taskId === 'task_unknown') throw new GatewayError('task_not_found', 'No such task.');
      if (taskId === 'task_broken') throw new Error('store is away');
      pushes.push({ channelId, taskId, body });
    },
    linkKeys: [linkKey],
    secrets: {} as SecretKeeper,
    publicUrl: 'http://127.0.0.1:8787',
    currency: 'USD',
    version: '0.0.0-test',
    clock,
    logger: pino({ level: 'info' }, { write: (line: string) => void log.push(JSON.parse(line)) }),
    readiness: { store: async () => {} },
    isDraining: () => false,
    taskCounts: async () => ({ queued: 2 }),
    attentionCounts: async () => ({ lost: 1 }),
    measures: [],
    ...overrides,
  });
  await server.ready();
  return { server, clock, log, pushes };
}

function filmContent(modifiedAt: number): Content {
  return {
    bytes: film.length,
    contentType: 'video/mp4',
    etag: '"film"',
    modifiedAt,
    filename: 'task_1.mp4',
    open: async (range) => Readable.from([range ? film.subarray(range.start, range.end + 1) : film]),
  };
}
