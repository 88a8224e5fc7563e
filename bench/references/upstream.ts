/**
 * Just enough of Kling's wire: every create is accepted under an id of its own, every query says `submitted`, a list
 * shows the newest tasks as the official platform does. Its argument: how many tasks it has from the beginning.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { listen } from './listen.ts';

/** Ids are numbers of 18 digits in a string. */
const firstId = 800_000_000_000_000_000n;
let nextId = firstId + BigInt(process.argv[2] ?? 0);

const createdAt = Date.now();

function task(id: bigint | string): string {
  return `{"task_id":"${id}","task_status":"submitted","task_info":{},"created_at":${createdAt},"updated_at":${createdAt}}`;
}

function newest(page: number, pageSize: number): string {
  const tasks: string[] = [];
  const from = nextId - 1n - BigInt((page - 1) * pageSize);
  for (let id = from; id >= firstId && tasks.length < pageSize; id--) tasks.push(task(id));
  return `[${tasks.join(',')}]`;
}

/** `/v1/videos/text2video/{id}` or `/v1/videos/text2video?pageNum&pageSize`. */
function query(target: string): string {
  const url = new URL(target, 'http://upstream');
  const id = url.pathname.split('/')[4];
  if (id !== undefined) return task(id);
  return newest(Number(url.searchParams.get('pageNum') ?? 1), Number(url.searchParams.get('pageSize') ?? 30));
}

function answer(request: IncomingMessage, response: ServerResponse): void {
  const data = request.method === 'POST' ? task(nextId++) : query(request.url!);
  const body = Buffer.from(`{"code":0,"message":"SUCCEED","request_id":"bench","data":${data}}`);
  response.writeHead(200, {
    'content-type': 'application/json; charset=utf-8',
    'content-length': body.length,
  });
  response.end(body);
}

listen(
  createServer((request, response) => {
    request.on('end', () => answer(request, response));
    request.resume();
  }),
);
