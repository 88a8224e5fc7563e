/**
 * A store of one film: every GET answers it, whole or a range, from memory; every other question is answered with what
 * an S3-compatible store says when all is well. Its argument: how many bytes.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { listen } from './listen.ts';

const film = Buffer.alloc(Number(process.argv[2]), 'film');
const headers = { 'content-type': 'video/mp4', 'accept-ranges': 'bytes', etag: '"film"' };

/** A bucket in which nothing lies under the names that are asked for. */
const LISTING =
  '<?xml version="1.0" encoding="UTF-8"?><ListBucketResult><Name>bench</Name><KeyCount>0</KeyCount>' +
  '<MaxKeys>1000</MaxKeys><IsTruncated>false</IsTruncated></ListBucketResult>';

function answer(request: IncomingMessage, response: ServerResponse): void {
  if (request.url!.includes('list-type=2')) {
    response.writeHead(200, { 'content-type': 'application/xml' }).end(LISTING);
    return;
  }
  const [, from, to] = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '') ?? [];
  if (request.method === 'GET' && from !== undefined) {
    const end = to ? Number(to) : film.length - 1;
    const part = film.subarray(Number(from), end + 1);
    const range = `bytes ${from}-${end}/${film.length}`;
    response.writeHead(206, { ...headers, 'content-length': part.length, 'content-range': range }).end(part);
    return;
  }
  response.writeHead(200, { ...headers, 'content-length': film.length });
  if (request.method === 'GET') response.end(film);
  else response.end();
}

listen(
  createServer((request, response) => {
    request.on('end', () => answer(request, response));
    request.resume();
  }),
);
