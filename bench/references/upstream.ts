/**
 * Just enough of Kling's wire: every create is accepted under an id of its own, every query says `submitted`, a list
 * shows the newest tasks as the official platform does. Its argument: how many tasks it has from the beginning.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { listen } from './listen.ts';

/** Ids are numbers of 18 digits in a string. */
const firstId = 800_000_000_000_000_000n;
const initial = BigInt(process.argv[2] ?? 0);
let nextId = firstId + initial;

const createdAt = Date.now();

/** Of tasks that were there from the beginning: when each was last shown, and the times between. */
const shownAt = new Map<bigint, number>();
const gaps: number[] = [];
let pages = 0;

function noteShown(id: bigint, now: number): void {
  const before = shownAt.get(id);
  if (before !== undefined) gaps.push(now - before);
  shownAt.set(id, now);
}

/** What `bench/crowd.ts` asks: of every look since the last report. */
function report(): string {
  gaps.sort((left, right) => left - right);
  const at = (share: number): number => gaps[Math.floor((gaps.length - 1) * share)] ?? 0;
  const text = JSON.stringify({ gapP50: at(0.5), gapP99: at(0.99), looks: gaps.length, pages });
  gaps.length = 0;
  pages = 0;
  return text;
}

function task(id: bigint | string): string {
  return `{"task_id":"${id}","task_status":"submitted","task_info":{},"created_at":${createdAt},"updated_at":${createdAt}}`;
}

function newest(page: number, pageSize: number): string {
  const tasks: string[] = [];
  const now = Date.now();
  pages++;
  const from = nextId - 1n - BigInt((page - 1) * pageSize);
  for (let id = from; id >= firstId && tasks.length < pageSize; id--) {
    if (id < firstId + initial) noteShown(id, now);
    tasks.push(task(id));
  }
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
  let text: string;
  if (request.url === '/report') text = report();
  else {
    const data = request.method === 'POST' ? task(nextId++) : query(request.url!);
    text = `{"code":0,"message":"SUCCEED","request_id":"bench","data":${data}}`;
  }
  const body = Buffer.from(text);
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
