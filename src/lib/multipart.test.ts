import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import fc from 'fast-check';
import { OpenAI as OpenAI6 } from 'openai-6';
import { OpenAI as OpenAI7 } from 'openai-7';
import { createFormTree, FormError, type FormFile, type FormValue } from './multipart.ts';

function tree(fields: [string, string][], jsonFields: string[] = []): unknown {
  const form = createFormTree({ jsonFields });
  for (const [name, value] of fields) form.addField(name, value);
  return plain(form.finish());
}

/** The same with ordinary prototypes, for deepEqual. */
function plain(value: FormValue): unknown {
  if (Array.isArray(value)) return value.map(plain);
  if (value === null || typeof value !== 'object') return value;
  if (Buffer.isBuffer((value as unknown as FormFile).bytes)) return (value as unknown as FormFile).filename;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, plain(inner as FormValue)]));
}

function reasonOf(fields: [string, string][], jsonFields: string[] = []): string {
  try {
    tree(fields, jsonFields);
  } catch (error) {
    assert.ok(error instanceof FormError);
    return error.reason;
  }
  return 'accepted';
}

test('brackets nest, empty brackets collect, texts stay texts', () => {
  assert.deepEqual(
    tree([
      ['prompt', '5'],
      ['images[]', 'u1'],
      ['metadata[a][b]', 'true'],
      ['images[]', 'u2'],
      ['metadata[a][c][]', '1'],
    ]),
    { prompt: '5', images: ['u1', 'u2'], metadata: { a: { b: 'true', c: ['1'] } } },
  );
});

test('a new element of an array of objects starts when a key repeats', () => {
  assert.deepEqual(
    tree([
      ['m[file_infos][][type]', 'Url'],
      ['m[file_infos][][url]', 'a'],
      ['m[file_infos][][type]', 'Url'],
      ['m[file_infos][][url]', 'b'],
      ['m[file_infos][][tags][]', 'x'],
      ['m[file_infos][][tags][]', 'y'],
    ]),
    {
      m: {
        file_infos: [
          { type: 'Url', url: 'a' },
          { type: 'Url', url: 'b', tags: ['x', 'y'] },
        ],
      },
    },
  );
});

test('in nested arrays of objects the innermost grows', () => {
  assert.deepEqual(
    tree([
      ['o[][a]', '1'],
      ['o[][b][][c]', '1'],
      ['o[][b][][c]', '2'],
      ['o[][a]', '2'],
      ['o[][b][][c]', '3'],
    ]),
    {
      o: [
        { a: '1', b: [{ c: '1' }, { c: '2' }] },
        { a: '2', b: [{ c: '3' }] },
      ],
    },
  );
});

test('a plain name that repeats collects too', () => {
  assert.deepEqual(tree([['images', 'a']]), { images: 'a' });
  assert.deepEqual(
    tree([
      ['images', 'a'],
      ['images', 'b'],
      ['images', 'c'],
    ]),
    { images: ['a', 'b', 'c'] },
  );
});

test('files take their place among the fields', () => {
  const form = createFormTree();
  const file = { bytes: Buffer.from('x'), filename: 'a.png', contentType: 'image/png' };
  form.addFile('input_reference', file);
  form.addFile('images[]', file);
  form.addField('images[]', 'https://example.com/b.png');
  const root = form.finish();
  assert.equal(root.input_reference, file);
  assert.deepEqual(root.images, [file, 'https://example.com/b.png']);
});

test('fields named as JSON are decoded when they look like it, ids above 2^53 whole', () => {
  assert.deepEqual(tree([['metadata', ' {"a":[831922345719271433]}']], ['metadata']), {
    metadata: { a: [831922345719271433n] },
  });
  assert.deepEqual(tree([['metadata', '{"a":1}']]), { metadata: '{"a":1}' });
  assert.deepEqual(tree([['metadata', 'plain']], ['metadata']), { metadata: 'plain' });
  assert.equal(reasonOf([['metadata', '{"a":']], ['metadata']), 'malformed_json');
  assert.equal(reasonOf([['metadata', '['.repeat(40)]], ['metadata']), 'malformed_json');
});

test('names that reach for a prototype are refused in every position', () => {
  for (const word of ['__proto__', 'constructor', 'prototype']) {
    for (const name of [word, `a[${word}]`, `a[][${word}]`, `${word}[a]`, `a[b][${word}][c]`]) {
      assert.equal(reasonOf([[name, 'x']]), 'forbidden_name', name);
    }
  }
  const root = createFormTree().finish();
  assert.equal(Object.getPrototypeOf(root), null);
});

test('malformed names, contradictions, depth and number are refused', () => {
  for (const name of ['', '[a]', '[]', 'a[b', 'a]b', 'a[b]c', 'a[b]]', 'a[[b]]', 'a[b][c', 'a]']) {
    assert.equal(reasonOf([[name, 'x']]), 'malformed_name', name);
  }
  const contradictions: [string, string][] = [
    ['a', 'a[b]'],
    ['a[b]', 'a'],
    ['a[]', 'a'],
    ['a[]', 'a[b]'],
    ['a[b]', 'a[]'],
    ['a[b][]', 'a[b][c]'],
  ];
  for (const [first, second] of contradictions) {
    assert.equal(reasonOf([[first, 'x'], [second, 'y']]), 'conflict', `${first} ${second}`); // prettier-ignore
  }
  assert.equal(reasonOf([['a', '1'], ['a', '2'], ['a[]', '3']]), 'conflict'); // prettier-ignore
  assert.equal(reasonOf([['metadata', '{"a":{}}'], ['metadata[b]', '3']], ['metadata']), 'conflict'); // prettier-ignore
  assert.equal(reasonOf([[`a${'[b]'.repeat(7)}`, 'x']]), 'accepted');
  assert.equal(reasonOf([[`a${'[b]'.repeat(8)}`, 'x']]), 'too_deep');
  assert.equal(reasonOf([[`a${'['.repeat(1_000_000)}`, 'x']]), 'malformed_name');
  const many = (count: number) => Array.from({ length: count }, (_, i): [string, string] => [`f${i}`, 'x']);
  assert.equal(reasonOf(many(200)), 'accepted');
  assert.equal(reasonOf(many(201)), 'too_many_fields');
});

test('whatever the names, the outcome is an object or a FormError, and no prototype is touched', () => {
  const segment = fc.constantFrom('', 'a', 'b', '__proto__', '0', 'constructor', '[', ']');
  const name = fc
    .tuple(fc.constantFrom('a', 'b', 'c', ''), fc.array(segment, { maxLength: 5 }))
    .map(([head, rest]) => head + rest.map((part) => `[${part}]`).join(''));
  fc.assert(
    fc.property(fc.array(name, { maxLength: 12 }), (names) => {
      reasonOf(names.map((each) => [each, 'x']));
      assert.equal(Object.keys(Object.prototype).length, 0);
    }),
    { numRuns: 500 },
  );
});

/** Runs a client against a server that records the parts of each form, in order. */
async function record(send: (baseURL: string) => Promise<unknown>): Promise<unknown> {
  const form = createFormTree();
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const boundary = /boundary=(.+)$/.exec(request.headers['content-type'] ?? '')?.[1] ?? '';
      for (const part of Buffer.concat(chunks).toString('latin1').split(`--${boundary}`).slice(1, -1)) {
        const split = part.indexOf('\r\n\r\n');
        const head = part.slice(0, split);
        const value = part.slice(split + 4, -2);
        const name = / name="([^"]*)"/.exec(head)?.[1] ?? '';
        const filename = / filename="([^"]*)"/.exec(head)?.[1];
        const contentType = /Content-Type: (\S+)/i.exec(head)?.[1] ?? '';
        if (filename === undefined) form.addField(name, value);
        else form.addFile(name, { bytes: Buffer.from(value, 'latin1'), filename, contentType });
      }
      response.setHeader('content-type', 'application/json').end('{"id":"video"}');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    await send(`http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`);
  } finally {
    server.closeAllConnections();
    server.close();
  }
  return plain(form.finish());
}

for (const [version, OpenAI] of [
  ['6.49', OpenAI6],
  ['7.55', OpenAI7],
] as const) {
  test(`openai ${version}: what the client sends comes back as what the caller wrote`, async () => {
    const body = {
      model: 'kling-1.6',
      prompt: 'a cat',
      seconds: '5',
      audio: true,
      images: ['https://example.com/1.png', 'https://example.com/2.png'],
      metadata: {
        file_infos: [
          { type: 'Url', url: 'https://example.com/a', tags: ['x', 'y'] },
          { type: 'Url', url: 'https://example.com/b', tags: ['z'] },
          { type: 'File' },
        ],
        output_config: { resolution: '720P', nested: { deeper: 'yes' } },
        shots: [
          { index: '1', parts: [{ prompt: 'p' }, { prompt: 'q' }] },
          { index: '2', parts: [{ prompt: 'r' }] },
        ],
      },
    };
    const received = await record((baseURL) => {
      const client = new OpenAI({ apiKey: 'none', baseURL, maxRetries: 0 });
      const input_reference = new File([Buffer.from('PNG')], 'frame.png', { type: 'image/png' });
      return client.videos.create({ ...body, input_reference } as unknown as Parameters<
        typeof client.videos.create
      >[0]);
    });
    assert.deepEqual(received, { ...body, audio: 'true', input_reference: 'frame.png' });
  });

  test(`openai ${version}: files in an array arrive in order`, async () => {
    const received = await record((baseURL) => {
      const client = new OpenAI({ apiKey: 'none', baseURL, maxRetries: 0 });
      const images = [new File(['1'], '1.png'), new File(['2'], '2.png')];
      return client.videos.create({ model: 'kling-1.6', prompt: 'p', images } as unknown as Parameters<
        typeof client.videos.create
      >[0]);
    });
    assert.deepEqual(received, { model: 'kling-1.6', prompt: 'p', images: ['1.png', '2.png'] });
  });
}
