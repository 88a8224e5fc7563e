import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Store } from './core/ports.ts';
import { startFixture } from './http/server.fixture.ts';
import { Measures } from './measures.ts';
import type { LaneSet } from './workers/lanes.ts';

function listOf(measures: Measures) {
  return measures.list({
    store: {
      waitingCount: async () => 7,
      webhooks: { openCount: async () => 3 },
    } as unknown as Store,
    lanes: {
      held: () => [{ channel: 'chan_1', running: 2 }],
      states: () => [{ channel: 'chan_1', openness: 0.5 }],
    } as unknown as LaneSet,
    jobCounts: async () => [{ queue: 'persist-output', state: 'waiting', count: 4 }],
    countedAlone: () => 5,
    info: { version: '1.2.3', role: 'all', engine: 'sqlite' },
  });
}

test('what was done and what there is stands at /metrics', async () => {
  const measures = new Measures();
  measures.changed('acceptTask', 'ok', 0.004);
  measures.changed('acceptTask', 'ok', 0.2);
  measures.changed('acceptTask', 'insufficient_quota', 0.003);
  measures.committed(3);
  measures.asked('kling', 'POST', '200', 0.3);
  const { server } = await startFixture({ measures: listOf(measures) });
  const { payload } = await server.inject('/metrics');
  await server.close();
  const lines = new Set(payload.split('\n'));
  for (const line of [
    '# TYPE reelay_store_changes_total counter',
    'reelay_store_changes_total{change="acceptTask",outcome="ok"} 2',
    'reelay_store_changes_total{change="acceptTask",outcome="insufficient_quota"} 1',
    'reelay_store_change_duration_seconds_bucket{le="0.005"} 2',
    'reelay_store_change_duration_seconds_count 3',
    'reelay_store_commit_changes_bucket{le="4"} 1',
    'reelay_store_commit_changes_sum 3',
    'reelay_upstream_request_duration_seconds_bucket{provider="kling",method="POST",status="200",le="0.5"} 1',
    'reelay_lane_running{channel="chan_1"} 2',
    'reelay_lane_waiting{channel="chan_1"} 7',
    'reelay_channel_open{channel="chan_1"} 0.5',
    'reelay_jobs{queue="persist-output",state="waiting"} 4',
    'reelay_webhook_deliveries_open 3',
    'reelay_rate_limits_counted_alone_total 5',
    'reelay_info{version="1.2.3",role="all",engine="sqlite"} 1',
  ]) {
    assert.ok(lines.has(line), line);
  }
});
