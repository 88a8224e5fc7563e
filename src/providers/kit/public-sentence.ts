/** What an upstream says of a refusal or a failure, made fit for the caller. */
import type { Channel, Json } from '../../core/ports.ts';

const charactersMax = 500;
/** Anything shorter is no secret, and would tear holes into ordinary sentences. */
const secretCharactersMin = 8;

export type PublicSentence = (message: string, channel: Channel) => string;

/**
 * How an upstream's sentences are told: their first line, without the channel's host, its credential, and whatever
 * `hosts` finds; without words of their own they say just that. `hosts` is global.
 */
export function createPublicSentence(hosts: RegExp): PublicSentence {
  return (message, channel) => {
    let text = (message.split('\n', 1)[0] ?? '').replace(hosts, 'the upstream');
    for (const secret of secretsOf(channel.credential)) text = text.replaceAll(secret, '…');
    const host = URL.parse(channel.baseUrl)?.host;
    if (host) text = text.replaceAll(host, 'the upstream');
    text = text.trim();
    if (text.length > charactersMax) text = `${text.slice(0, charactersMax)}…`;
    return text === '' ? 'The upstream refused the request without saying why.' : text;
  };
}

function secretsOf(credential: Json): string[] {
  if (typeof credential !== 'object' || credential === null || Array.isArray(credential)) return [];
  return Object.values(credential).filter(
    (value): value is string => typeof value === 'string' && value.length >= secretCharactersMin,
  );
}
