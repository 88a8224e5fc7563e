import type { FastifyInstance } from 'fastify';

/** One line per request, written when it is over. Neither headers nor bodies are logged. */
export function addAccessLog(server: FastifyInstance): void {
  server.addHook('onResponse', (request, reply, done) => {
    request.log.info(
      {
        requestId: request.id,
        method: request.method,
        url: loggedUrl(request.raw.url ?? ''),
        status: reply.statusCode,
        durationMs: Math.round(reply.elapsedTime * 10) / 10,
        accountId: request.principal?.accountId,
      },
      'request',
    );
    done();
  });
}

/** A request target without the secrets that may stand in its query. */
export function loggedUrl(url: string): string {
  const query = url.indexOf('?');
  if (query < 0) return url;
  // Names may be percent-encoded (`%6bey=`): whatever is not plainly harmless is hidden.
  const redacted = url
    .slice(query + 1)
    .split('&')
    .map((pair) => {
      const [name = ''] = pair.split('=', 1);
      return /^(?:key|signature)$/i.test(name) || name.includes('%') ? `${name}=[redacted]` : pair;
    });
  return `${url.slice(0, query)}?${redacted.join('&')}`;
}
