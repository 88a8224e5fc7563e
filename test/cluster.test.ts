/** Several nodes on one database, as processes that are killed, put to sleep and sent home. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Cluster, type ClusterNode } from './helpers/cluster.ts';
import { call, eventually, firstRunOf, type LooseJson } from './helpers/processes.ts';

/** Long enough for a machine that is busy with other things; nothing waits so long when all is well. */
const PATIENCE_MS = 60_000;
/** The first node, and three that follow one that is gone. */
const TURNS_MAX = 4;

test('nodes that start at once on an empty database make everything once', { timeout: 120_000 }, async () => {
  await using cluster = await Cluster.open({ speed: 20 });
  await Promise.all(['a', 'b', 'c'].map((name) => cluster.startNode(name)));
  const admin = async (path: string): Promise<LooseJson[]> => {
    const answers = [];
    for (const node of cluster.nodes) {
      answers.push((await call(`${node.url}/admin/v1${path}`, { key: cluster.adminToken })).body.data);
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
    const content = await call(`${node.url}/v1/videos/${task.id}/content`, { key: keyOf(cluster) });
    assert.equal(content.status, 200);
  }
});

test('nodes with directories of their own need the same secret', { timeout: 120_000 }, async () => {
  await using cluster = await Cluster.open({ speed: 20 });
  const secret = 'a secret that all of the nodes are given';
  const token = 'a-token-for-all-of-them';
  const given = { REELAY_SECRET: secret, REELAY_ADMIN_TOKEN: token };
  const apart = (name: string) => ({ REELAY_DATA: `${cluster.dataDirectory}-${name}` });
  const first = await cluster.startNode('first', given);
  const second = await cluster.startNode('second', { ...given, ...apart('second') });
  assert.equal((await call(`${second.url}/v1/models`, { key: keyOf(cluster) })).status, 200);
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
    await using cluster = await Cluster.open({ speed: 10 });
    for (const name of ['a', 'b', 'c']) await cluster.startNode(name);
    const ids: string[] = [];
    const create = async (): Promise<void> => {
      const external = `film-${ids.length}`;
      const json = { model: 'kling-2.5', prompt: 'a cat', external_task_id: external };
      const answer = await cluster.call('/v1/videos', { json });
      assert.equal(answer.status, 200, answer.text);
      ids.push(answer.body.id);
    };
    const holder = async (): Promise<ClusterNode> => {
      const known = cluster.polls('kling').length;
      await create();
      await eventually('a poll', PATIENCE_MS, async () => cluster.polls('kling').length > known);
      return cluster.nodes.find(({ name }) => name === cluster.lastPoller('kling'))!;
    };
    /** Somebody else polls; answers after how many seconds since `since`. */
    const takenOver = async (from: ClusterNode, since: number): Promise<string> => {
      const next = await eventually('a node that takes over', PATIENCE_MS, async () =>
        cluster.polls('kling').find((poll) => poll.from > since && poll.node !== from.name),
      );
      return `${next.node} polls ${((next.from - since) / 1_000).toFixed(1)} s after ${from.name}`;
    };

    // Asleep, and awake again after it has been replaced.
    const sleeper = await holder();
    for (let count = 0; count < 5; count++) await create();
    sleeper.child.kill('SIGSTOP');
    const asleepAt = performance.now();
    const [others] = [cluster.nodes.filter((node) => node !== sleeper)];
    cluster.nodes.splice(0, Infinity, ...others);
    await create();
    t.diagnostic(`asleep: ${await takenOver(sleeper, asleepAt)}`);
    sleeper.child.kill('SIGCONT');
    cluster.nodes.push(sleeper);
    for (let count = 0; count < 5; count++) await create();

    // Dead.
    const victim = await holder();
    for (let count = 0; count < 5; count++) await create();
    cluster.forget(victim);
    await victim.kill();
    const deadAt = performance.now();
    await create();
    t.diagnostic(`dead: ${await takenOver(victim, deadAt)}`);
    await cluster.startNode('d');

    // Sent home.
    const leaver = await holder();
    for (let count = 0; count < 5; count++) await create();
    cluster.forget(leaver);
    const leftAt = performance.now();
    const ended = leaver.stop();
    t.diagnostic(`left: ${await takenOver(leaver, leftAt)}`);
    await ended;
    assert.equal(await leaver.ended, '0');

    for (const id of ids) assert.equal((await finished(cluster, id)).status, 'completed');
    const handles = (await cluster.upstreamTasks()).map(({ dedup_handle: handle }) => handle as string);
    assert.deepEqual(handles.toSorted(), ids.toSorted(), 'each task exists upstream exactly once');
    assert.deepEqual(overlaps(cluster), []);
    const verdict = await cluster.call('/admin/v1/ledger/verify', { key: cluster.adminToken });
    assert.equal(verdict.body.ok, true, verdict.text);
  },
);

test('a node answers callers or works, as its role says', { timeout: 120_000 }, async () => {
  await using cluster = await Cluster.open({ speed: 20 });
  const api = await cluster.startNode('api', { REELAY_ROLE: 'api' });
  const worker = await cluster.startNode('worker', { REELAY_ROLE: 'worker', REELAY_PUBLIC_URL: api.url });
  cluster.forget(worker);
  for (const path of ['/healthz', '/readyz', '/metrics']) {
    assert.equal((await call(worker.url + path)).status, 200, path);
  }
  for (const path of ['/v1/models', '/admin/v1/accounts', '/docs']) {
    assert.equal((await call(worker.url + path, { key: cluster.adminToken })).status, 404, path);
  }
  const created = await cluster.call('/v1/videos', { json: { model: 'kling-2.5', prompt: 'a cat' } });
  assert.equal((await finished(cluster, created.body.id)).status, 'completed');
  assert.deepEqual([...new Set(cluster.asked.map(({ node }) => node))], ['worker']);
  await worker.kill();
});

function keyOf(cluster: Cluster): string {
  return firstRunOf(cluster.dataDirectory).api_key;
}

function finished(cluster: Cluster, id: string): Promise<LooseJson> {
  return eventually(`the end of ${id}`, PATIENCE_MS, async () => {
    const { body } = await cluster.call(`/v1/videos/${id}`);
    return ['completed', 'failed'].includes(body.status) ? body : null;
  });
}

/** Tasks that two nodes asked about at once, and nodes that poll although another has taken over. */
function overlaps(cluster: Cluster): string[] {
  const faults: string[] = [];
  const polls = cluster.polls('kling');
  for (const [path, same] of Map.groupBy(polls, (poll) => poll.path)) {
    for (const [index, poll] of same.entries()) {
      const before = same[index - 1];
      if (before !== undefined && before.node !== poll.node && before.until > poll.from) {
        faults.push(`${before.node} and ${poll.node} ask about ${path} at once`);
      }
    }
  }
  // Lists are asked for by lanes only: each node has its turn, and it is over when the next one begins.
  const lists = polls.filter(({ path }) => !/\d$/.test(path)).map(({ node }) => node);
  const turns = lists.filter((node, index) => node !== lists[index - 1]);
  if (turns.length > TURNS_MAX) faults.push(`they poll in turns: ${turns.join(', ')}`);
  return faults;
}
