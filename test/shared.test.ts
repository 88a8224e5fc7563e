/** What several nodes share besides their database: rate limits in Redis or PostgreSQL, media in a bucket. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Cluster } from './helpers/cluster.ts';
import { call, eventually, type LooseJson } from './helpers/processes.ts';
import { redisIsMissing, startTestRedis } from './helpers/redis.ts';
import { startTestS3, type TestS3 } from './helpers/s3-server.ts';
import { createTestDatabase } from './helpers/test-database.ts';

const PATIENCE_MS = 60_000;
const LIMIT = 60;

/** Two nodes. */
async function openCluster(env: Record<string, string> = {}): Promise<Cluster> {
  return Cluster.open(['a', 'b'], { database: await createTestDatabase(), speed: 20, env });
}

/** Limits the demo account, then sends twice as many requests to the nodes in turn; answers how many were let through. */
async function passed(cluster: Cluster): Promise<number> {
  const { account_id: account, api_key: key, admin_token } = cluster.keys;
  const limited = await call(`${cluster.nodes[0]!.url}/admin/v1/accounts/${account}`, {
    method: 'PATCH',
    key: admin_token,
    json: { limits: { requests_per_minute: LIMIT } },
  });
  assert.equal(limited.status, 200, limited.text);
  // The limit has to have reached every node, which may know the key from before.
  for (const node of cluster.nodes) {
    await eventually(`${node.name} limits`, PATIENCE_MS, async () => {
      const { headers } = await call(`${node.url}/v1/models`, { key });
      return headers['x-ratelimit-limit-requests'] === String(LIMIT);
    });
  }
  const first = await cluster.call('/v1/models');
  const left = Number(first.headers['x-ratelimit-remaining-requests']);
  const answers = await Promise.all(Array.from({ length: 2 * LIMIT }, () => cluster.call('/v1/models')));
  const statuses = answers.map(({ status }) => status);
  assert.deepEqual([...new Set(statuses)].sort(), [200, 429]);
  return LIMIT - left + statuses.filter((status) => status === 200).length;
}

test(
  `of a limit of ${LIMIT} a minute, two nodes that count in Redis let exactly as many through`,
  { timeout: 120_000, skip: redisIsMissing },
  async () => {
    const redis = await startTestRedis();
    {
      await using cluster = await openCluster({ REDIS_URL: redis.url });
      assert.equal(await passed(cluster), LIMIT);
      for (const { url } of cluster.nodes) {
        const { text } = await call(`${url}/metrics`);
        assert.match(text, /^reelay_rate_limits_counted_alone_total 0$/m);
      }
    }
    await redis.stop();
  },
);

test(
  `of a limit of ${LIMIT} a minute, two nodes that count in PostgreSQL let exactly as many through`,
  { timeout: 120_000 },
  async () => {
    await using cluster = await openCluster();
    assert.equal(await passed(cluster), LIMIT);
  },
);

test('films lie in the bucket, and every node hands them out', { timeout: 120_000 }, async () => {
  const s3: TestS3 = await startTestS3();
  {
    await using cluster = await openCluster({
      REELAY_S3_ENDPOINT: s3.endpoint,
      REELAY_S3_REGION: s3.credentials.region,
      REELAY_S3_BUCKET: s3.bucket,
      REELAY_S3_ACCESS_KEY: s3.credentials.accessKey,
      REELAY_S3_SECRET_KEY: s3.credentials.secretKey,
    });
    const created = await cluster.call('/v1/videos', { json: { model: 'kling-2.5', prompt: 'a cat' } });
    assert.equal(created.status, 200, created.text);
    const task = await eventually<LooseJson>('the film', PATIENCE_MS, async () => {
      const { body } = await cluster.call(`/v1/videos/${created.body.id}`);
      return body.status === 'completed' && body;
    });
    const { bytes } = s3.objects.get(`outputs/${task.id}/video.mp4`)!;
    const { api_key: key } = cluster.keys;
    for (const node of cluster.nodes) {
      const whole = await call(`${node.url}/v1/videos/${task.id}/content`, { key });
      assert.equal(whole.status, 200);
      assert.equal(Number(whole.headers['content-length']), bytes.length);
      const part = await call(`${node.url}/v1/videos/${task.id}/content`, {
        key,
        headers: { range: 'bytes=0-99' },
      });
      assert.equal(part.status, 206);
      assert.equal(part.headers['content-range'], `bytes 0-99/${bytes.length}`);
    }
    const deleted = await cluster.call(`/v1/videos/${task.id}`, { method: 'DELETE' });
    assert.equal(deleted.status, 200, deleted.text);
    await eventually(
      'the bucket is empty',
      PATIENCE_MS,
      async () => ![...s3.objects.keys()].some((name) => name.startsWith('outputs/')),
    );
  }
  await s3.close();
});
