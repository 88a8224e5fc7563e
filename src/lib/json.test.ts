import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { findJsonFault } from './json-fault.ts';
import { JsonError, parseJson, writeJson } from './json.ts';

function refusal(text: string): JsonError {
  try {
    parseJson(text);
  } catch (error) {
    assert.ok(error instanceof JsonError);
    return error;
  }
  throw new assert.AssertionError({ message: `${text.slice(0, 40)} was accepted` });
}

test('integers a double would round survive as bigint, all other numbers stay numbers', () => {
  assert.deepEqual(
    parseJson('{"id":831922345719271433,"n":[9007199254740991,9007199254740992,-9007199254740993]}'),
    {
      id: 831922345719271433n,
      n: [9007199254740991, 9007199254740992n, -9007199254740993n],
    },
  );
  assert.deepEqual(
    parseJson('[1234567890123456.5,1e20,0.1234567890123456789,-0]'),
    [1234567890123456.5, 1e20, 0.12345678901234568, -0],
  );
});

test('digits inside strings stay strings', () => {
  assert.deepEqual(parseJson('{"id":"831922345719271433","q":"\\"831922345719271433"}'), {
    id: '831922345719271433',
    q: '"831922345719271433',
  });
});

test('a megabyte of digits is read at once, as the double it would be anyway', () => {
  const started = performance.now();
  assert.equal(parseJson('9'.repeat(1_000_000)), Infinity);
  assert.ok(performance.now() - started < 1000);
});

test('nesting of 32 is accepted, of 33 refused with the place', () => {
  assert.ok(parseJson('['.repeat(32) + ']'.repeat(32)));
  const error = refusal('['.repeat(33) + ']'.repeat(33));
  assert.equal(error.reason, 'too_deep');
  assert.equal(error.position, 32);
  assert.match(error.message, /more than 32 levels deep at position 32/);
  assert.equal(refusal('{"a":'.repeat(100_000)).reason, 'too_deep');
  assert.throws(() => parseJson('[[1]]', { depthMax: 1 }), JsonError);
});

test('brackets inside strings are not nesting', () => {
  assert.equal(parseJson(JSON.stringify('[{"'.repeat(1000) + '\\')), '[{"'.repeat(1000) + '\\');
});

test('a document of countless small values is refused before any of them is built', () => {
  const bombs = {
    arrays: '[],',
    objects: '{},',
    numbers: '1,',
    texts: '"",',
    nested: '[[[[[[[[[[]]]]]]]]]],',
    keys: '"k":1,',
  };
  for (const [name, value] of Object.entries(bombs)) {
    const [open, close] = name === 'keys' ? ['{', '"z":1}'] : ['[', '0]'];
    // The long number and the name are what made the parser look at every value twice.
    const text = `${open}${name === 'keys' ? '' : '1234567890123456,"__proto__",'}${value.repeat(2 ** 20)}${close}`;
    const started = performance.now();
    assert.equal(refusal(text).reason, 'too_many_values', name);
    assert.ok(performance.now() - started < 1000, name);
  }
  const allowed = JSON.parse(`[${'0,'.repeat(99_998)}0]`) as unknown;
  assert.deepEqual(parseJson(JSON.stringify(allowed)), allowed);
  // What is large for its texts is not meant.
  assert.equal((parseJson(JSON.stringify([','.repeat(2 ** 20)])) as string[])[0]!.length, 2 ** 20);
});

test('siblings are not nesting', () => {
  assert.equal((parseJson(`[${'[],{},'.repeat(1000)}1]`) as unknown[]).length, 2001);
});

test('__proto__ keys are dropped however they are spelled', () => {
  for (const key of [
    '__proto__',
    '\\u005f_proto__',
    '__pr\\u006fto\\u005F\\u005f',
    '\\u005f\\u005Fproto__',
  ]) {
    const value = parseJson(`{"a":{"${key}":{"polluted":true},"b":1}}`) as { a: object };
    assert.deepEqual(Object.getOwnPropertyNames(value.a), ['b'], key);
    const copy = Object.assign({}, value.a);
    assert.equal('polluted' in copy, false, key);
  }
  assert.deepEqual(parseJson('{"prompt":"say __proto__"}'), { prompt: 'say __proto__' });
});

test('malformed text is refused with the position of the first fault', () => {
  const cases: [string, number][] = [
    ['', 0],
    ['   ', 3],
    ['{"a":x}', 5],
    ['{"a":1,}', 7],
    ['{a:1}', 1],
    ['{"a" 1}', 5],
    ['[1 2]', 3],
    ['[1,]', 3],
    ['[1', 2],
    ['"abc', 4],
    ['"a\\x"', 2],
    ['"a\\u12g4"', 2],
    ['"a\nb"', 2],
    ['01', 1],
    ['1 1', 2],
    ['{"a":1}]', 7],
    ['nul', 0],
    ["{'a':1}", 1],
    ['{"a":1]', 6],
    ['\uFEFF{}', 0],
    ['{"id":12345678901234567890,"b":}', 31],
  ];
  for (const [text, position] of cases) {
    const error = refusal(text);
    assert.equal(error.reason, 'malformed', text);
    assert.equal(error.position, position, `${JSON.stringify(text)}: ${error.message}`);
  }
  assert.match(refusal('{\n  "a": x\n}').message, /unexpected "x" at position 9 \(line 2, column 8\)/);
});

test('accepts and refuses exactly what JSON.parse does, and finds a fault in all it refuses', () => {
  const text = fc.oneof(
    fc.json({ maxDepth: 4 }),
    fc
      .tuple(
        fc.json({ maxDepth: 3 }),
        fc.nat(),
        fc.constantFrom('"', '{', ']', ',', ':', '\\', '7', 'e', ' '),
      )
      .map(
        ([json, at, extra]) =>
          json.slice(0, at % (json.length + 1)) + extra + json.slice(at % (json.length + 1)),
      ),
    fc.string({ maxLength: 12 }),
  );
  fc.assert(
    fc.property(text, (sample) => {
      let valid = true;
      try {
        JSON.parse(sample);
      } catch {
        valid = false;
      }
      if (valid) parseJson(sample);
      else {
        assert.equal(refusal(sample).reason, 'malformed');
        assert.notEqual(findJsonFault(sample).message, 'not JSON', sample);
      }
    }),
    { numRuns: 500 },
  );
});

test('what is written reads back the same, bigint included', () => {
  fc.assert(
    fc.property(
      fc.letrec((tie) => ({
        value: fc.oneof(
          { maxDepth: 4 },
          fc.constantFrom(null, true, false),
          fc.string(),
          fc.maxSafeInteger(),
          fc.bigInt({ min: 2n ** 53n, max: 2n ** 80n }),
          fc.bigInt({ min: -(2n ** 80n), max: -(2n ** 53n) }),
          fc.array(tie('value'), { maxLength: 4 }),
          fc.dictionary(
            fc.string().filter((key) => key !== '__proto__'),
            tie('value'),
            {
              maxKeys: 4,
              noNullPrototype: true,
            },
          ),
        ),
      })).value,
      (value) => assert.deepEqual(parseJson(writeJson(value)), value),
    ),
    { numRuns: 300 },
  );
  assert.equal(writeJson({ id: 831922345719271433n }), '{"id":831922345719271433}');
});

test('what JSON cannot hold is refused when writing', () => {
  const cycle: Record<string, unknown> = {};
  cycle.self = cycle;
  assert.throws(() => writeJson(cycle), TypeError);
  assert.throws(() => writeJson(undefined), TypeError);
});
