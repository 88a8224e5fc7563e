import assert from 'node:assert/strict';
import { test } from 'node:test';
import fastify from 'fastify';
import { addSendTogether } from './send-together.ts';

test('what is answered in one turn is sent at its end, in order', async (t) => {
  const server = fastify();
  t.after(() => server.close());
  addSendTogether(server);
  const told: string[] = [];
  server.addHook('onRequest', (request, { raw }, done) => {
    const writeHead = raw.writeHead.bind(raw) as (...head: unknown[]) => typeof raw;
    // Where the head is written the answer goes out; its end is heard of a turn later in any case.
    raw.writeHead = (...head: unknown[]) => {
      told.push(`sent ${request.url}`);
      return writeHead(...head);
    };
    done();
  });
  server.get('/:name', async (request) => {
    // One is ready long before the next, and yet in the same turn.
    const steps = { '/a': 0, '/b': 100, '/c': 200 }[request.url]!;
    for (let step = 0; step < steps; step++) await null;
    told.push(`ready ${request.url}`);
    return 'x';
  });
  const answers = await Promise.all(['/a', '/b', '/c'].map((url) => server.inject({ url })));
  assert.deepEqual(
    answers.map(({ statusCode, body }) => [statusCode, body]),
    Array(3).fill([200, 'x']),
  );
  assert.deepEqual(told, ['ready /a', 'ready /b', 'ready /c', 'sent /a', 'sent /b', 'sent /c']);
});

test('an answer that breaks does not hold up the others', async (t) => {
  const server = fastify();
  t.after(() => server.close());
  addSendTogether(server);
  server.get('/fails', async () => {
    throw new Error('broken');
  });
  server.get('/works', async () => 'x');
  const answers = await Promise.all(['/fails', '/works'].map((url) => server.inject({ url })));
  assert.deepEqual(
    answers.map(({ statusCode }) => statusCode),
    [500, 200],
  );
});

test('an answer whose head cannot be written becomes an error, and the process lives', async (t) => {
  const server = fastify();
  t.after(() => server.close());
  addSendTogether(server);
  server.get('/bad', async (_request, reply) => {
    reply.header('x-name', 'line\nbreak');
    return 'x';
  });
  server.get('/works', async () => 'x');
  // Over a wire: in memory nothing looks at headers.
  const origin = await server.listen({ host: '127.0.0.1', port: 0 });
  const answers = await Promise.all(['/bad', '/works'].map((url) => fetch(origin + url)));
  assert.deepEqual(
    answers.map(({ status }) => status),
    [500, 200],
  );
  assert.equal(answers[0]!.headers.get('x-name'), null);
});
