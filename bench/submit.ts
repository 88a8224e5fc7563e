/**
 * Submit: creates that reach the upstream inside the request, beside a bare proxy to the same upstream. The gateway
 * starts anew for every turn: its tasks stay in flight and are polled, which must burden neither the proxy's turn nor
 * a later turn more than the first.
 */
import assert from 'node:assert/strict';
import { startServer } from './child.ts';
import { CREATE_BODY, startLoadedGateway, turnOf } from './gateway.ts';
import { rateLine, type Report } from './report.ts';
import { ratioOf, takeTurns, type Pace, type Turn } from './rounds.ts';

const CONNECTIONS = 32;
const AIM = 0.25;

export async function submit(scratch: string, pace: Pace): Promise<Report> {
  await using upstream = await startServer({ script: 'bench/references/upstream.ts' });
  await using proxy = await startServer({ script: 'bench/references/proxy.ts', args: [upstream.url] });
  // The upstream's own path: the proxy changes nothing.
  const passed = { url: proxy.url, path: '/v1/videos/text2video', headers: {}, body: CREATE_BODY };

  const gatewayTurn = async (durationMs: number): Promise<Turn> => {
    await using gateway = await startLoadedGateway({ scratch, upstreamUrl: upstream.url, concurrency: null });
    await turnOf(gateway, gateway.create, { connections: CONNECTIONS, durationMs: pace.warmUpMs });
    const turn = await turnOf(gateway, gateway.create, { connections: CONNECTIONS, durationMs });
    const { waiting } = await gateway.channel();
    assert.equal(waiting, 0, 'every create reached the upstream inside its request');
    return turn;
  };
  const turns = await takeTurns(
    [
      {
        name: 'proxy',
        turn: (durationMs) => turnOf(proxy, passed, { connections: CONNECTIONS, durationMs }),
      },
      { name: 'gateway', turn: gatewayTurn },
    ],
    pace,
  );

  const reference = turns.get('proxy')!;
  const subject = turns.get('gateway')!;
  return {
    title: `Submit: creates per second with the submit inside the request, ${CONNECTIONS} connections`,
    lines: [rateLine('bare proxy', reference), rateLine('gateway', subject)],
    ratios: [ratioOf({ of: 'gateway ÷ bare proxy', subject, reference, aim: AIM, busy: true })],
  };
}
