/** Requests made up from an OpenAPI document by a seeded generator: half plausible, half hostile. */
import type { LooseJson } from '../../test/helpers/processes.ts';
import { resolved, type Operation } from './openapi.ts';

export interface MadeUpRequest {
  method: string;
  path: string;
  headers: Record<string, string>;
  body: string | Buffer | undefined;
}

/** Values that programs trip over; strings stay short so that thousands fit into seconds. */
const HOSTILE: unknown[] = [
  null,
  true,
  false,
  0,
  -1,
  1.5,
  1e308,
  -1e-308,
  2 ** 53,
  2 ** 31,
  '',
  ' ',
  '0',
  '-1',
  'null',
  'undefined',
  'NaN',
  '\u0000',
  '\ud800',
  '\u202e',
  '💥'.repeat(50),
  'x'.repeat(3000),
  '__proto__',
  'constructor',
  "' OR 1=1 --",
  '${7*7}',
  '../../etc/passwd',
  'http://127.0.0.1:1/',
  'http://[::1]/',
  'http://169.254.169.254/',
  'file:///etc/passwd',
  'data:image/png;base64,AAAA',
  'data:,',
  '{"a":',
  '[]',
  '{}',
  [],
  {},
  [[]],
  [null],
  [[[[[[]]]]]],
  { a: { b: { c: null } } },
  { toString: 1 },
  { length: -1 },
  { __proto__x: 1, constructor: { prototype: {} } },
  Array(300).fill(0),
  '9'.repeat(400),
  '1e400',
  '5\r\nX: y',
  'é',
  '5 ',
  '０',
];
const WORDS = [
  'kling-v1',
  'kling-v1-6',
  'kling-2.5',
  'kling-3.0',
  'kling-3.0-omni',
  'kling-video-o1',
  'kling-v2-6',
  'std',
  'pro',
  '4k',
  '5',
  '10',
  '16:9',
  '9:16',
  '720P',
  '1080P',
  '1280x720',
  'on',
  'off',
  'Enabled',
  'https://example.com/a.png',
  'https://example.com/a.mp4',
  '0.01',
  'motion_control',
  'avatar_i2v',
  'lip_sync',
  'a cat',
  '[[fail]] a cat',
  '2030-01-01T00:00:00Z',
  'text',
  'image_url',
  'Url',
  'Image',
];

export class Fuzzer {
  #state: number;
  #document: LooseJson;
  #operations: Operation[];
  #ids: string[];

  /** `ids` are what stands in paths beside hostile values. */
  constructor(seed: number, document: LooseJson, operations: Operation[], ids: string[]) {
    this.#state = seed;
    this.#document = document;
    this.#operations = operations;
    this.#ids = ids;
  }

  /** The next request; the same seed gives the same ones. */
  next(): MadeUpRequest {
    const operation = this.#pick(this.#operations);
    const method = this.#happens(0.05)
      ? this.#pick(['PUT', 'PATCH', 'DELETE', 'POST', 'GET'])
      : operation.method;
    const headers: Record<string, string> = {};
    if (this.#happens(0.05)) headers['idempotency-key'] = this.#pick(['a', 'b', 'x'.repeat(300)]);
    if (this.#happens(0.05)) headers['reelay-max-cost'] = this.#pick(['1', '0', '-1', 'much']);
    if (this.#happens(0.05))
      headers.range = this.#pick(['bytes=0-', 'bytes=-1', 'bytes=9-1', 'x', 'bytes=0-1,3-4']);
    let body: string | Buffer | undefined;
    if (!['GET', 'HEAD', 'DELETE'].includes(method)) body = this.#body(operation, headers);
    return { method, path: this.#path(operation), headers, body };
  }

  /** mulberry32: small, and the same everywhere. */
  #random(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  }

  #happens(probability: number): boolean {
    return this.#random() < probability;
  }

  #pick<T>(from: readonly T[]): T {
    return from[Math.floor(this.#random() * from.length)]!;
  }

  #path(operation: Operation): string {
    const encoded = (value: unknown): string =>
      encodeURIComponent((typeof value === 'string' ? value : JSON.stringify(value)).toWellFormed());
    const path = operation.path.replaceAll(/\{(\w+)\}/g, () =>
      encoded(this.#happens(0.7) ? this.#pick(this.#ids) : this.#pick(HOSTILE)),
    );
    const query = operation.parameters
      .filter((parameter) => parameter.in === 'query' && this.#happens(0.4))
      .map(({ name, schema }) => `${encoded(name)}=${encoded(this.#value(schema, 0))}`);
    return query.length > 0 ? `${path}?${query.join('&')}` : path;
  }

  #body(operation: Operation, headers: Record<string, string>): string | Buffer {
    const value = this.#happens(0.97) ? this.#value(operation.body ?? {}, 0) : this.#pick(HOSTILE);
    if (operation.takesForm && this.#happens(0.25)) {
      headers['content-type'] = 'multipart/form-data; boundary=fuzz';
      return this.#broken(form(value));
    }
    headers['content-type'] = this.#happens(0.95)
      ? 'application/json'
      : this.#pick(['text/plain', 'image/png', 'x']);
    return this.#broken(JSON.stringify(value) ?? '');
  }

  /** One in eight is cut, or has one byte changed. */
  #broken(text: string): string | Buffer {
    if (!this.#happens(0.125)) return text;
    const bytes = Buffer.from(text);
    const at = Math.floor(this.#random() * bytes.length);
    if (this.#happens(0.5)) return bytes.subarray(0, at);
    bytes[at] = Math.floor(this.#random() * 256);
    return bytes;
  }

  #value(given: LooseJson, depth: number): unknown {
    if (this.#happens(depth === 0 ? 0.02 : 0.12)) return this.#pick(HOSTILE);
    const schema = resolved(this.#document, given) ?? {};
    if (schema.const !== undefined) return schema.const;
    if (Array.isArray(schema.enum)) return this.#pick(schema.enum);
    const branches = schema.anyOf ?? schema.oneOf;
    if (Array.isArray(branches)) return this.#value(this.#pick(branches), depth);
    if (Array.isArray(schema.examples) && depth > 0 && this.#happens(0.5)) return this.#pick(schema.examples);
    const type = Array.isArray(schema.type) ? this.#pick(schema.type as string[]) : schema.type;
    switch (type) {
      case 'object':
        return this.#object(schema, depth);
      case 'array':
        return Array.from({ length: Math.floor(this.#random() * 4) }, () =>
          this.#value(schema.items ?? {}, depth + 1),
        );
      case 'integer':
      case 'number':
        return this.#pick([0, 1, 2, 5, 10, 15, 20, -1, 0.5, 1e9]);
      case 'boolean':
        return this.#happens(0.5);
      case 'null':
        return null;
      default:
        return this.#pick(WORDS);
    }
  }

  #object(schema: LooseJson, depth: number): Record<string, unknown> {
    const made: Record<string, unknown> = {};
    const required = new Set<string>(schema.required ?? []);
    const properties = Object.entries<LooseJson>(schema.properties ?? {});
    // A few at a time, so that some requests are right.
    const share = Math.min(0.9, 3 / Math.max(1, properties.length));
    for (const [name, property] of properties) {
      const isUsual = ['model', 'prompt', 'name'].includes(name);
      if (required.has(name) || this.#happens(isUsual ? 0.85 : depth > 5 ? 0 : share))
        made[name] =
          isUsual && this.#happens(0.8) ? this.#pick(WORDS.slice(0, 7)) : this.#value(property, depth + 1);
    }
    if (this.#happens(0.05)) made[JSON.stringify(this.#pick(HOSTILE))] = this.#pick(HOSTILE);
    return made;
  }
}

/** The value as a form whose names carry the nesting in brackets. */
function form(value: unknown): string {
  const parts: string[] = [];
  const add = (name: string, at: unknown): void => {
    if (at !== null && typeof at === 'object')
      for (const [key, entry] of Object.entries(at))
        add(name === '' ? key : `${name}[${Array.isArray(at) ? '' : key}]`, entry);
    else
      parts.push(
        `--fuzz\r\nContent-Disposition: form-data; name="${name.replaceAll(/["\r\n]/g, '_')}"\r\n\r\n${String(at)}\r\n`,
      );
  };
  add('', value);
  return `${parts.join('')}--fuzz--\r\n`;
}
