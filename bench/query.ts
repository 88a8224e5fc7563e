/** Query: `GET /v1/videos/{id}` beside a server that answers a constant of the same length. */
import { request } from 'undici';
import { startServer, type RunningServer } from './child.ts';
import { startLoadedGateway, turnOf } from './gateway.ts';
import { fillLane } from './intake.ts';
import { load, type LoadRequest } from './load.ts';
import { rateLine, type Report } from './report.ts';
import { ratioOf, takeTurns, type Pace } from './rounds.ts';

const CONNECTIONS = 32;
const AIM = 0.5;
/** Different ones, so that no single row is always at hand. */
const TASKS = 100;

export async function query(scratch: string, pace: Pace): Promise<Report> {
  await using upstream = await startServer({ script: 'bench/references/upstream.ts' });
  await using gateway = await startLoadedGateway({ scratch, upstreamUrl: upstream.url, concurrency: 1 });
  await fillLane(gateway);
  const headers = gateway.create.headers;
  const list = `${gateway.url}/v1/videos?limit=${TASKS}`;
  const ids: string[] = [];
  while (ids.length < TASKS) {
    await load(gateway.create, { connections: 4, durationMs: 50 });
    const page = await request(list, { headers });
    const { data } = (await page.body.json()) as { data: { id: string }[] };
    ids.splice(0, ids.length, ...data.map(({ id }) => id));
  }
  const paths = ids.map((id) => `/v1/videos/${id}`);
  const length = await lengthOf(gateway.url + paths[0]!, headers);
  await using constant = await startServer({
    script: 'bench/references/constant.ts',
    args: [String(length)],
  });
  const turn = (server: RunningServer) => (durationMs: number) => {
    const wanted: LoadRequest = { url: server.url, path: '', paths, headers, body: '', method: 'GET' };
    return turnOf(server, wanted, { connections: CONNECTIONS, durationMs });
  };
  const turns = await takeTurns(
    [
      { name: 'constant', turn: turn(constant) },
      { name: 'gateway', turn: turn(gateway) },
    ],
    pace,
  );
  const reference = turns.get('constant')!;
  const subject = turns.get('gateway')!;
  return {
    title: `Query: GET /v1/videos/{id}, ${CONNECTIONS} connections`,
    lines: [rateLine('constant server', reference), rateLine('gateway', subject)],
    ratios: [ratioOf({ of: 'gateway ÷ constant server', subject, reference, aim: AIM, busy: true })],
  };
}

async function lengthOf(url: string, headers: Record<string, string>): Promise<number> {
  const answer = await request(url, { headers });
  return (await answer.body.bytes()).length;
}
