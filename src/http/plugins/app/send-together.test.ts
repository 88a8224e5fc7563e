import assert from 'node:assert/strict';
import { test } from 'node:test';
import fastify from 'fastify';
import { addSendTogether } from './send-together.ts';

test('what is answered in one turn is sent at its end, in order', async (t) => {
  const server = fastify();
  t.after(() => server.close());
  addSendTogether(server);
  const told: string[] = [];
  server.addHook('onResponse', async (request) => void told.push(`sent ${request.url}`));
  server.get('/:name', async (request) => {
    told.push(`ready ${request.url}`);
    return 'x';
  });
  const answers = await Promise.all(['/a', '/b', '/c'].map((url) => server.inject({ url })));
  assert.deepEqual(
    answers.map(({ statusCode, body }) => [statusCode, body]),
    Array(3).fill([200, 'x']),
  );
  const firstSent = told.findIndex((line) => line.startsWith('sent'));
  assert.deepEqual(told.slice(0, firstSent), ['ready /a', 'ready /b', 'ready /c']);
  assert.deepEqual(told.slice(firstSent), ['sent /a', 'sent /b', 'sent /c']);
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
