/**
 * The bare proxy: `node:http` in front, undici `dispatch` behind, every byte passed on and none looked at. Its one
 * argument is the upstream's origin.
 */
import { createServer, type IncomingMessage, type OutgoingHttpHeaders, type ServerResponse } from 'node:http';
import { Pool } from 'undici';
import { listen } from './listen.ts';

const upstream = process.argv[2];
if (upstream === undefined) throw new Error('The proxy needs the origin of its upstream.');
// As many connections as the gateway's own pool may open.
const pool = new Pool(upstream, { connections: 64 });

function pass(request: IncomingMessage, response: ServerResponse): void {
  const { host: _host, connection: _connection, ...headers } = request.headers;
  pool.dispatch(
    {
      path: request.url!,
      method: request.method as 'GET' | 'POST',
      headers,
      body: request.method === 'GET' ? null : request,
    },
    {
      // A handler without it is refused.
      onRequestStart() {},
      onResponseStart(_controller, status, answered) {
        const { connection: _hop, 'keep-alive': _alive, ...kept } = answered;
        response.writeHead(status, kept as OutgoingHttpHeaders);
      },
      onResponseData(controller, chunk) {
        if (response.write(chunk)) return;
        controller.pause();
        response.once('drain', () => controller.resume());
      },
      onResponseEnd() {
        response.end();
      },
      onResponseError() {
        response.writeHead(502).end();
      },
    },
  );
}

listen(createServer(pass));
