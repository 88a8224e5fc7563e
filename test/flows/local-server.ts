/** A web server on loopback for what upstreams made and for callbacks; keeps what it was sent. */
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { parseJson } from '../../src/lib/json.ts';

// lint-allow: any, so that a test reads a callback's body without a cast at every step
type LooseJson = any; // lint-allow: see above

export interface LocalServer {
  origin: string;
  /** Requests so far: path, headers and, of a POST, its JSON and the text it came as. */
  requests: { path: string; headers: Record<string, string>; text: string; body: LooseJson }[];
  /** Answers by path; anything else is a 404. */
  answers: Map<string, (response: ServerResponse) => void>;
  close(): Promise<void>;
}

export async function startLocalServer(): Promise<LocalServer> {
  const requests: LocalServer['requests'] = [];
  const answers: LocalServer['answers'] = new Map();
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const text = Buffer.concat(chunks).toString();
      const path = request.url ?? '';
      const headers = request.headers as Record<string, string>;
      requests.push({ path, headers, text, body: text === '' ? null : parseJson(text) });
      const answer = answers.get(path);
      if (answer) answer(response);
      else response.writeHead(404).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    answers,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** The head of an MP4 file: enough to be recognised as one. */
export const film: Buffer = Buffer.concat([
  Buffer.from([0, 0, 0, 24]),
  Buffer.from('ftypisom\0\0\x02\0isommp41'),
  Buffer.from([0, 0, 0, 16]),
  Buffer.from('mdat'),
  Buffer.from('pictures'),
]);

export function sends(body: Buffer | string, contentType = 'video/mp4', status = 200) {
  return (response: ServerResponse): void => {
    response.writeHead(status, { 'content-type': contentType }).end(body);
  };
}

/** The head of a PNG of this size: enough to be recognised and measured. */
export function png(width = 320, height = width): Buffer {
  const head = Buffer.from('\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\0\0\0\0\0\b\x02\0\0\0', 'latin1');
  head.writeUInt32BE(width, 16);
  head.writeUInt32BE(height, 20);
  return Buffer.concat([head, Buffer.alloc(64)]);
}

/** The heads of an MP3 and of a WAV file. */
export const mp3: Buffer = Buffer.from('ID3\x04\0\0\0\0\0\0 sound');
export const wav: Buffer = Buffer.from('RIFF\x24\0\0\0WAVEfmt \x10\0\0\0 sound');
