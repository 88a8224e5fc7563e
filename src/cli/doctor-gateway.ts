/** What `reelay doctor` asks a running gateway. */
import type { Config } from '../config.ts';
import { Api, header, RefusedError, UnreachableError, type Headers } from './api.ts';
import { probeChannel } from './channels.ts';
import { attention, ok, wrong, type Finding } from './check.ts';
import { CliError, type Context } from './command.ts';
import { isLoopback, type Connection } from './connection.ts';
import type { AdminTask, ChannelItem, Page } from './wire.ts';

/** Kling refuses tokens that are off by more than seconds; signed links bear minutes. The header counts in seconds. */
const SKEW_MS_MAX = 5_000;

/** Alive, ready, its clock, its admin token, its channels. Stops where further questions make no sense. */
export async function checkGateway(
  connection: Connection,
  config: Config | null,
  context: Context,
): Promise<Finding[]> {
  const api = new Api(connection.url, null, context.signal);
  const findings: Finding[] = [];
  try {
    const askedAt = Date.now();
    const health = await api.peek('/healthz');
    if (health.status !== 200) {
      const advice = 'Something else may listen there: check --url, REELAY_URL or PORT.';
      return [wrong('Gateway', `${connection.url}/healthz answers ${health.status}`, advice)];
    }
    findings.push(ok('Gateway', `alive at ${connection.url}`), ...checkSkew(health.headers, askedAt));
  } catch (error) {
    return [silence(connection, error)];
  }
  findings.push(await checkReadiness(api));
  findings.push(...(await checkAsOperator(connection, config, context)));
  return findings;
}

/** Not running is a fault only where somebody said that it runs. */
function silence({ url, isUrlGiven }: Connection, error: unknown): Finding {
  if (!(error instanceof UnreachableError)) throw error;
  if (isUrlGiven || !error.isRefused) {
    return wrong('Gateway', error.message, 'Start it there, or correct --url or REELAY_URL.');
  }
  return attention('Gateway', `not running at ${url}`, 'Start it with npm start, then ask again.');
}

function checkSkew(headers: Headers, askedAt: number): Finding[] {
  const theirs = Date.parse(header(headers, 'date') ?? '');
  if (Number.isNaN(theirs)) return [];
  // The header is cut to whole seconds, and was written between the question and now.
  const skewMs = theirs + 999 < askedAt ? theirs + 999 - askedAt : Math.max(0, theirs - Date.now());
  if (Math.abs(skewMs) <= SKEW_MS_MAX) return [ok('Clocks', "the gateway's and ours agree")];
  const seconds = Math.round(Math.abs(skewMs) / 1000);
  return [
    attention(
      'Clocks',
      `the gateway's is ${seconds} s ${skewMs < 0 ? 'behind' : 'ahead of'} ours`,
      'Set both by NTP: signed keys and links depend on the time.',
    ),
  ];
}

async function checkReadiness(api: Api): Promise<Finding> {
  const { status, text } = await api.peek('/readyz');
  if (status === 200) return ok('Readiness', 'store and jobs answer');
  return wrong(
    'Readiness',
    `/readyz answers ${status}: ${text.slice(0, 200)}`,
    "See the gateway's log; check the disk.",
  );
}

async function checkAsOperator(
  connection: Connection,
  config: Config | null,
  { signal }: Context,
): Promise<Finding[]> {
  if (connection.adminToken === null) {
    const advice = 'Give --admin-token or set REELAY_ADMIN_TOKEN to have the channels checked.';
    return [attention('Admin token', 'none at hand', advice)];
  }
  const api = new Api(connection.url, connection.adminToken, signal);
  let channels: ChannelItem[];
  try {
    channels = (await api.call<Page<ChannelItem>>('/admin/v1/channels')).body.data;
  } catch (error) {
    if (!(error instanceof RefusedError)) throw error;
    const advice = 'Use the token of this gateway: REELAY_ADMIN_TOKEN, or admin_token in its first-run.json.';
    return [wrong('Admin token', error.message, advice)];
  }
  const enabled = channels.filter((channel) => channel.enabled);
  const findings = [ok('Admin token', 'accepted'), await checkLost(api)];
  if (enabled.length === 0) {
    findings.push(
      attention('Channels', 'none is enabled, so nothing can be made', 'reelay channels add --help'),
    );
  }
  for (const channel of enabled) findings.push(await checkChannel(api, channel));
  return [...findings, ...checkPublicUrl(connection, config, enabled)];
}

/** As many as are named; more are only said to be more. */
const LOST_SHOWN = 200;

/** Attempts of which nobody knows whether they exist upstream: somebody has to decide. */
async function checkLost(api: Api): Promise<Finding> {
  const { body } = await api.call<Page<AdminTask>>('/admin/v1/tasks', {
    query: { attention: 'lost', limit: LOST_SHOWN },
  });
  const count = body.data.length;
  if (count === 0) return ok('Lost tasks', 'none');
  const number = body.next_cursor === null ? `${count}` : `more than ${count}`;
  return attention(
    'Lost tasks',
    `${number} may exist upstream, and nobody knows; nothing was charged for them`,
    'See them with reelay tasks list --attention, then: reelay tasks retry, or reelay tasks fail.',
  );
}

async function checkChannel(api: Api, channel: ChannelItem): Promise<Finding> {
  const topic = `Channel ${channel.name}`;
  const advice =
    'Correct it with PATCH /admin/v1/channels/{id} (credential, base_url, enabled), then: reelay channels probe.';
  try {
    const probe = await probeChannel(api, channel.id);
    return probe.ok ? ok(topic, probe.message) : wrong(topic, probe.message, advice);
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    return wrong(topic, error.message, advice);
  }
}

/** Polling finds every result anyway; a push only makes it quicker. */
function checkPublicUrl(connection: Connection, config: Config | null, enabled: ChannelItem[]): Finding[] {
  const real = enabled.filter((channel) => !channel.sandbox);
  if (real.length === 0 || config === null) return [];
  const publicUrl = config.publicUrl ?? connection.url;
  if (!isLoopback(publicUrl)) return [ok('Public URL', publicUrl)];
  return [
    attention(
      'Public URL',
      `${publicUrl} is this machine only: callbacks of upstreams cannot arrive, and links in answers work only here`,
      'Set REELAY_PUBLIC_URL to the address others reach the gateway at. Results are polled meanwhile.',
    ),
  ];
}
