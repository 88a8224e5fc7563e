import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import fastify, { type FastifyInstance } from 'fastify';
import { pathOf } from '../app/errors.ts';

interface Pages {
  html: string;
  contentSecurityPolicy: string;
  /** Compressed once: the script has four megabytes. */
  script: Buffer;
  scriptGzip: Buffer;
  scriptEtag: string;
}

/**
 * The API reference at `/docs/`, from our own origin alone. Scalar is one script of four megabytes inside a module:
 * it is loaded when somebody first looks, so that neither start nor idle memory pays for it.
 */
export function addReference(server: FastifyInstance): void {
  const hidden = { schema: { hide: true } };
  let loading: Promise<Pages> | null = null;
  const pages = (): Promise<Pages> => (loading ??= loadPages());

  // Who opens the gateway in a browser wants to know what it is.
  server.get('/', hidden, (_request, reply) => reply.redirect('/docs/', 302));
  server.get('/docs/', hidden, async (request, reply) => {
    // The page names its script relative to itself, so the slash matters here.
    if (pathOf(request.raw.url) === '/docs') return reply.redirect('/docs/', 301);
    const { html, contentSecurityPolicy } = await pages();
    return reply
      .headers({
        'content-security-policy': contentSecurityPolicy,
        'x-content-type-options': 'nosniff',
        'x-frame-options': 'DENY',
        'referrer-policy': 'no-referrer',
        'cache-control': 'no-cache',
      })
      .type('text/html; charset=utf-8')
      .send(html);
  });
  server.get('/docs/js/scalar.js', hidden, async (request, reply) => {
    const { script, scriptGzip, scriptEtag } = await pages();
    reply.headers({
      'x-content-type-options': 'nosniff',
      'cache-control': 'no-cache',
      etag: scriptEtag,
      vary: 'accept-encoding',
    });
    if (request.headers['if-none-match'] === scriptEtag) return reply.code(304).send();
    reply.type('text/javascript; charset=utf-8');
    const takesGzip = /\bgzip\b/.test(String(request.headers['accept-encoding'] ?? ''));
    return takesGzip ? reply.header('content-encoding', 'gzip').send(scriptGzip) : reply.send(script);
  });
}

/** Lets Scalar's own plugin render its two files once, on a server that is never listened to. */
async function loadPages(): Promise<Pages> {
  const { default: scalar } = await import('@scalar/fastify-api-reference');
  const renderer = fastify();
  await renderer.register(scalar, {
    routePrefix: '/docs',
    configuration: {
      url: '/openapi.json',
      pageTitle: 'Reelay API',
      // Everything below keeps the page from speaking to anybody but us.
      withDefaultFonts: false,
      telemetry: false,
      agent: { disabled: true },
      mcp: { disabled: true },
      showDeveloperTools: 'never',
      hideClientButton: true,
    },
  });
  const page = (await renderer.inject('/docs/')).body;
  // Without an icon of its own the browser asks for /favicon.ico, and its console shows the 404.
  const html = page.replace('</head>', '<link rel="icon" href="data:," /></head>');
  const script = (await renderer.inject('/docs/js/scalar.js')).rawPayload;
  await renderer.close();
  return {
    html,
    contentSecurityPolicy: policyFor(html),
    script,
    scriptGzip: await promisify(gzip)(script),
    scriptEtag: `"${createHash('sha256').update(script).digest('base64url').slice(0, 22)}"`,
  };
}

/** Scripts are ours or the one inline call that mounts the page, named by its hash; styles come from the script. */
function policyFor(html: string): string {
  const inline = [...html.matchAll(/<script(?![^>]*\bsrc=)[^>]*>([\s\S]*?)<\/script>/g)].map(
    ([, source = '']) => `'sha256-${createHash('sha256').update(source).digest('base64')}'`,
  );
  return [
    "default-src 'none'",
    `script-src 'self' ${inline.join(' ')}`,
    "style-src 'self' 'unsafe-inline'",
    "img-src 'self' data: blob:",
    "font-src 'self' data:",
    "media-src 'self' blob:",
    "connect-src 'self'",
    "worker-src 'self' blob:",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ');
}
