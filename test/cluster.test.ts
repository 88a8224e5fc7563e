/** Several nodes on one database, as processes that are killed, put to sleep and sent home. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Cluster, type ClusterNode } from './helpers/cluster.ts';
import { call, eventually, type LooseJson } from './helpers/processes.ts';
import { createTestDatabase } from './helpers/test-database.ts';

/** Long enough for a machine that is busy with other things; nothing waits so long when all is well. */
const PATIENCE_MS = 60_000;
/** The first node, and three that follow one that is gone. */
const TURNS_MAX = 4;

test('nodes that start at once on an empty database make everything once', { timeout: 120_000 }, async () => {
  await using cluster = await openCluster(20, 'a', 'b', 'c');
  const admin = async (path: string): Promise<LooseJson[]> => {
    const answers = [];
    for (const node of cluster.nodes) {
      answers.push((await call(`${node.url}/admin/v1${path}`, { key: cluster.keys.admin_token })).body.data);
    }
    for (const answer of answers) assert.deepEqual(answer, answers[0]);
    return answers[0];
  };
  assert.equal((await admin('/accounts')).length, 1);
  const channels = await admin('/channels');
  assert.equal(new Set(channels.map(({ provider }) => provider)).size, channels.length);
  const created = await cluster.call('/v1/videos', { json: { model: 'kling-2.5', prompt: 'a cat' } });
  assert.equal(created.status, 200, created.text);
  const task = await finished(cluster, created.body.id);
  assert.equal(task.status, 'completed');
  // Every node serves what any of them has fetched.
  for (const node of cluster.nodes) {
    const content = await call(`${node.url}/v1/videos/${task.id}/content`, { key: cluster.keys.api_key });
    assert.equal(content.status, 200);
  }
});

test('nodes with directories of their own need the same secret', { timeout: 120_000 }, async () => {
  await using cluster = await openCluster(20);
  const secret = 'a secret that all of the nodes are given';
  const token = 'a-token-for-all-of-them';
  const given = { REELAY_SECRET: secret, REELAY_ADMIN_TOKEN: token };
  const apart = (name: string) => ({ REELAY_DATA: `${cluster.dataDirectory}-${name}` });
  const first = await cluster.startNode('first', given);
  const second = await cluster.startNode('second', { ...given, ...apart('second') });
  assert.equal((await call(`${second.url}/v1/models`, { key: cluster.keys.api_key })).status, 200);
  assert.equal((await call(`${first.url}/admin/v1/accounts`, { key: token })).body.data.length, 1);
  await assert.rejects(
    cluster.startNode('stranger', { REELAY_ADMIN_TOKEN: token, ...apart('stranger') }),
    /Reelay cannot start: .*sealed with a root key that is not at hand/,
  );
});

test(
  'tasks go on while nodes sleep, die and leave, and no two nodes poll a channel at once',
  { timeout: 300_000 },
  async (t) => {
    await using cluster = await openCluster(10, 'a', 'b', 'c');
    await useOnly(cluster, 'kling');
    const ids: string[] = [];
    const create = async (): Promise<void> => {
      const external = `film-${ids.length}`;
      const json = { model: 'kling-2.5', prompt: 'a cat', external_task_id: external };
      const answer = await cluster.call('/v1/videos', { json });
      assert.equal(answer.status, 200, answer.text);
      ids.push(answer.body.id);
    };
    const { book } = cluster;
    const holder = async (): Promise<ClusterNode> => {
      const known = book.polls;
      await create();
      await eventually('a poll', PATIENCE_MS, async () => book.polls > known);
      return cluster.nodes.find(({ name }) => name === book.lastPoller)!;
    };
    const createFive = async (): Promise<void> => {
      for (let count = 0; count < 5; count++) await create();
    };
    /** The node that polls is gone in some way; resolves when another one polls. */
    const replaced = async (node: ClusterNode, how: string, go: () => void): Promise<void> => {
      await createFive();
      const next = book.nextByOther(node.name);
      cluster.forget(node);
      go();
      const since = performance.now();
      await create();
      const seconds = ((await next) - since) / 1_000;
      t.diagnostic(`another node polls ${seconds.toFixed(1)} s after one was ${how}`);
    };

    // Awake again after it has been replaced.
    const sleeper = await holder();
    await replaced(sleeper, 'put to sleep', () => sleeper.child.kill('SIGSTOP'));
    sleeper.child.kill('SIGCONT');
    cluster.nodes.push(sleeper);
    await createFive();

    const victim = await holder();
    await replaced(victim, 'killed', () => victim.child.kill('SIGKILL'));
    await victim.ended;
    book.died(victim.name);
    await cluster.startNode('d');

    const leaver = await holder();
    await replaced(leaver, 'sent home', () => leaver.child.kill('SIGTERM'));
    assert.equal(await leaver.ended, '0');

    for (const id of ids) assert.equal((await finished(cluster, id)).status, 'completed');
    const { tasks } = (await call(`${cluster.sandboxUrl}/_control/tasks`)).body;
    const handles: string[] = tasks.map((task: LooseJson) => task.dedup_handle);
    assert.deepEqual(handles.toSorted(), ids.toSorted(), 'each task exists upstream exactly once');
    assert.deepEqual([...book.overlaps, ...book.returns], []);
    // Each node has its turn, and it is over when the next one begins.
    for (const [list, nodes] of book.turns) assert.ok(nodes.length <= TURNS_MAX, `${list}: ${nodes.join()}`);
    const verdict = await cluster.call('/admin/v1/ledger/verify', { key: cluster.keys.admin_token });
    assert.equal(verdict.body.ok, true, verdict.text);
  },
);

test('a node answers callers or works, as its role says', { timeout: 120_000 }, async () => {
  await using cluster = await openCluster(20);
  const api = await cluster.startNode('api', { REELAY_ROLE: 'api' });
  const worker = await cluster.startNode('worker', { REELAY_ROLE: 'worker', REELAY_PUBLIC_URL: api.url });
  cluster.forget(worker);
  for (const path of ['/healthz', '/readyz', '/metrics']) {
    assert.equal((await call(worker.url + path)).status, 200, path);
  }
  for (const path of ['/v1/models', '/admin/v1/accounts', '/docs']) {
    assert.equal((await call(worker.url + path, { key: cluster.keys.admin_token })).status, 404, path);
  }
  const created = await cluster.call('/v1/videos', { json: { model: 'kling-2.5', prompt: 'a cat' } });
  assert.equal((await finished(cluster, created.body.id)).status, 'completed');
  assert.deepEqual([...cluster.book.askers], ['worker']);
});

async function openCluster(speed: number, ...names: string[]): Promise<Cluster> {
  return Cluster.open(names, { database: await createTestDatabase(), speed });
}

/** Then whoever polls holds that channel's lane. */
async function useOnly(cluster: Cluster, provider: string): Promise<void> {
  const key = cluster.keys.admin_token;
  const channels: LooseJson[] = (await cluster.call('/admin/v1/channels', { key })).body.data;
  for (const channel of channels.filter((one) => one.provider !== provider)) {
    const json = { enabled: false };
    const { status } = await cluster.call(`/admin/v1/channels/${channel.id}`, { method: 'PATCH', key, json });
    assert.equal(status, 200);
  }
}

function finished(cluster: Cluster, id: string): Promise<LooseJson> {
  return eventually(`the end of ${id}`, PATIENCE_MS, async () => {
    const { body } = await cluster.call(`/v1/videos/${id}`);
    return ['completed', 'failed'].includes(body.status) ? body : null;
  });
}
