/**
 * The least a Node server can do: it takes the request to its end, answers a constant of a create's size, and writes
 * nothing.
 */
import { createServer } from 'node:http';
import { listen } from './listen.ts';

/** As long as the argument says; absent: as the gateway's answer to a create at the Kling door. */
const length = Number(process.argv[2] ?? 643);
const frame = JSON.stringify({ code: 0, message: 'SUCCEED', data: '' });
const answer = Buffer.from(frame.replace('""', `"${'x'.repeat(Math.max(0, length - frame.length))}"`));
const headers = { 'content-type': 'application/json; charset=utf-8', 'content-length': answer.length };

listen(
  createServer((request, response) => {
    request.on('end', () => response.writeHead(200, headers).end(answer));
    request.resume();
  }),
);
