import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { GatewayError } from '../core/errors.ts';
import type { Content } from '../core/ports.ts';
import { serveBytes } from '../lib/serve-bytes.ts';
import { verifySignedUrl, type SignedUrlVerdict } from '../lib/signed-url.ts';
import type { ServerOptions } from './options.ts';

/** Signed links to finished files: no key, so that a browser, a player or a colleague can open them. */
export function addContent(
  server: FastifyInstance,
  {
    openContent,
    openInput,
    linkKeys,
    clock,
  }: Pick<ServerOptions, 'openContent' | 'openInput' | 'linkKeys' | 'clock'>,
): void {
  type Open = (params: Record<string, string>) => Promise<Content>;

  async function answer(open: Open, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    requireSignature(linkKeys, request.raw.url ?? '', clock.now());
    const content = await open(request.params as Record<string, string>);
    const served = await serveBytes(request, content, 'inline');
    if (served.status === 416) {
      reply.headers(served.headers);
      throw new GatewayError(
        'range_not_satisfiable',
        `The file has ${content.bytes} bytes: the range asked for lies outside.`,
      );
    }
    return reply
      .code(served.status)
      .headers({
        ...served.headers,
        'x-content-type-options': 'nosniff',
        'cross-origin-resource-policy': 'cross-origin',
      })
      .send(served.stream ?? undefined);
  }

  const route = (url: string, open: Open): void => {
    server.route({
      method: ['GET', 'HEAD'],
      url,
      schema: { hide: true },
      handler: (request, reply) => answer(open, request, reply),
    });
  };
  route('/content/:taskId/:file', ({ taskId, file }) => openContent(taskId!, file!));
  // What callers sent, for upstreams that take URLs only; the key travels as one path segment.
  route('/inputs/:key', ({ key }) => openInput(Buffer.from(key!, 'base64url').toString('utf8')));
}

/** Refuses with `invalid_link` whatever is not, to the letter, a link that we signed and that still holds. */
export function requireSignature(linkKeys: readonly Uint8Array[], rawUrl: string, nowMs: number): void {
  let verdict: SignedUrlVerdict = { ok: false, reason: 'bad_signature' };
  for (const linkKey of linkKeys) {
    verdict = verifySignedUrl(linkKey, rawUrl, nowMs);
    if (verdict.ok) return;
    // Only a signature can be another key's.
    if (verdict.reason !== 'bad_signature') break;
  }
  throw new GatewayError(
    'invalid_link',
    verdict.reason === 'expired'
      ? 'This link has expired: ask for the task again to get a new one.'
      : 'This link is not valid: use it exactly as it was given, to the last character.',
  );
}
