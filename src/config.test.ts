import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { ConfigError, loadConfig, type Config } from './config.ts';

const home = mkdtempSync(join(tmpdir(), 'reelay-config-'));
const yamlHome = mkdtempSync(join(tmpdir(), 'reelay-config-'));
after(() => {
  for (const directory of [home, yamlHome]) rmSync(directory, { recursive: true, force: true });
});

const load = (env: Record<string, string> = {}): Config => loadConfig(env, home);

/** The configuration with this text as `reelay.yaml`. */
function loadYaml(text: string, env: Record<string, string> = {}): Config {
  writeFileSync(join(yamlHome, 'reelay.yaml'), text);
  return loadConfig(env, yamlHome);
}

const refuses = (work: () => unknown, sentence: RegExp): void =>
  assert.throws(work, (error: unknown) => error instanceof ConfigError && sentence.test(error.message));

describe('without any setting', () => {
  test('everything has the default of the environment contract', () => {
    assert.deepEqual(load(), {
      host: '127.0.0.1',
      port: 8787,
      dataDir: join(home, 'data'),
      publicUrl: null,
      currency: 'USD',
      secret: null,
      secretsAlso: [],
      adminToken: null,
      sandbox: { mode: 'embedded', url: null, explicit: false, speed: 1, render: 'full' },
      demo: true,
      allowPrivate: [],
      trustProxy: [],
      logLevel: 'warn',
      prices: [],
      retentionMs: 30 * 86_400_000,
      keep: { exchangesMs: 30 * 86_400_000, eventsMs: null, tasksMs: null, deliveriesMs: 30 * 86_400_000 },
      databaseUrl: null,
      role: 'all',
      redisUrl: null,
      s3: null,
    });
  });

  test('an empty variable is as good as none', () => {
    const names = [
      'HOST PORT REELAY_DATA REELAY_PUBLIC_URL REELAY_CURRENCY REELAY_SECRET REELAY_ADMIN_TOKEN REELAY_SANDBOX',
      'REELAY_SANDBOX_SPEED REELAY_SANDBOX_RENDER REELAY_DEMO REELAY_ALLOW_PRIVATE REELAY_TRUST_PROXY REELAY_LOG_LEVEL REELAY_CONFIG',
      'DATABASE_URL REDIS_URL REELAY_S3_ENDPOINT REELAY_S3_REGION REELAY_S3_BUCKET REELAY_S3_ACCESS_KEY REELAY_S3_SECRET_KEY',
    ].flatMap((line) => line.split(' '));
    assert.deepEqual(load(Object.fromEntries(names.map((name) => [name, '']))), load());
  });

  test('nobody can change it afterwards, deep down either', () => {
    const config = load({ REELAY_ALLOW_PRIVATE: 'localhost' });
    for (const member of [config, config.sandbox, config.allowPrivate, config.prices]) {
      assert.ok(Object.isFrozen(member));
    }
    assert.throws(() => ((config.sandbox as { speed: number }).speed = 2), TypeError);
  });
});

describe('a variable', () => {
  const secret = 's'.repeat(32);
  const accepted: [Record<string, string>, (config: Config) => unknown, unknown][] = [
    [{ HOST: '0.0.0.0' }, (config) => config.host, '0.0.0.0'],
    [{ PORT: '0' }, (config) => config.port, 0],
    [{ PORT: '65535' }, (config) => config.port, 65_535],
    [{ REELAY_DATA: 'elsewhere' }, (config) => config.dataDir, join(home, 'elsewhere')],
    [{ REELAY_DATA: '/srv/reelay' }, (config) => config.dataDir, '/srv/reelay'],
    [
      { REELAY_PUBLIC_URL: 'https://reelay.example.com/' },
      (config) => config.publicUrl,
      'https://reelay.example.com',
    ],
    [
      { REELAY_PUBLIC_URL: 'http://example.com:8080/gateway' },
      (config) => config.publicUrl,
      'http://example.com:8080/gateway',
    ],
    [{ REELAY_CURRENCY: 'cny' }, (config) => config.currency, 'CNY'],
    [{ REELAY_SECRET: secret }, (config) => config.secret, secret],
    [{ REELAY_SECRET_ALSO: secret }, (config) => config.secretsAlso, [secret]],
    [{ REELAY_RETENTION_MEDIA_DAYS: '5' }, (config) => config.retentionMs, 5 * 86_400_000],
    [{ REELAY_RETENTION_EXCHANGES_DAYS: 'forever' }, (config) => config.keep.exchangesMs, null],
    [{ REELAY_RETENTION_EVENTS_DAYS: '60' }, (config) => config.keep.eventsMs, 60 * 86_400_000],
    [{ REELAY_RETENTION_TASKS_DAYS: '365' }, (config) => config.keep.tasksMs, 365 * 86_400_000],
    [{ REELAY_RETENTION_DELIVERIES_DAYS: '10' }, (config) => config.keep.deliveriesMs, 10 * 86_400_000],
    [{ REELAY_ADMIN_TOKEN: 'a'.repeat(16) }, (config) => config.adminToken, 'a'.repeat(16)],
    [
      { REELAY_SANDBOX: 'embedded' },
      (config) => config.sandbox,
      { mode: 'embedded', url: null, explicit: true, speed: 1, render: 'full' },
    ],
    [
      { REELAY_SANDBOX: 'off' },
      (config) => config.sandbox,
      { mode: 'off', url: null, explicit: true, speed: 1, render: 'full' },
    ],
    [
      { REELAY_SANDBOX: 'http://127.0.0.1:8790/' },
      (config) => config.sandbox,
      { mode: 'remote', url: 'http://127.0.0.1:8790', explicit: true, speed: 1, render: 'full' },
    ],
    [{ REELAY_SANDBOX_SPEED: '0.5' }, (config) => config.sandbox.speed, 0.5],
    [{ REELAY_SANDBOX_RENDER: 'tiny' }, (config) => config.sandbox.render, 'tiny'],
    [{ REELAY_DEMO: '0' }, (config) => config.demo, false],
    [{ REELAY_DEMO: 'off' }, (config) => config.demo, false],
    [{ REELAY_DEMO: '1' }, (config) => config.demo, true],
    [
      { REELAY_ALLOW_PRIVATE: 'localhost, 10.0.0.0/8 ,192.168.1.5' },
      (config) => config.allowPrivate,
      ['localhost', '10.0.0.0/8', '192.168.1.5'],
    ],
    [{ REELAY_LOG_LEVEL: 'debug' }, (config) => config.logLevel, 'debug'],
  ];
  for (const [env, read, value] of accepted) {
    const [[name, text]] = Object.entries(env) as [[string, string]];
    test(`${name}=${text} is taken`, () => assert.deepEqual(read(load(env)), value));
  }

  const refused: [string, string, RegExp][] = [
    ['PORT', '65536', /PORT must be a whole number from 0 to 65535, not 65536/],
    ['PORT', '-1', /PORT/],
    ['PORT', '80.5', /PORT/],
    ['PORT', 'http', /PORT/],
    ['REELAY_PUBLIC_URL', 'reelay.example.com', /REELAY_PUBLIC_URL must be an http\(s\) URL/],
    ['REELAY_PUBLIC_URL', 'ftp://example.com', /REELAY_PUBLIC_URL/],
    ['REELAY_PUBLIC_URL', 'https://example.com/?a=1', /REELAY_PUBLIC_URL/],
    ['REELAY_PUBLIC_URL', 'https://me:word@example.com', /REELAY_PUBLIC_URL/],
    ['REELAY_CURRENCY', 'EUR', /REELAY_CURRENCY must be one of USD, CNY, not EUR/],
    ['REELAY_SECRET', 'short', /REELAY_SECRET must have at least 32 characters/],
    ['REELAY_ADMIN_TOKEN', 'short', /REELAY_ADMIN_TOKEN must have at least 16/],
    ['REELAY_SANDBOX', 'on', /REELAY_SANDBOX must be "embedded", "off" or the URL/],
    ['REELAY_SANDBOX_SPEED', '0', /REELAY_SANDBOX_SPEED must be a number above 0, not 0/],
    ['REELAY_SANDBOX_SPEED', '-2', /REELAY_SANDBOX_SPEED/],
    ['REELAY_SANDBOX_SPEED', 'fast', /REELAY_SANDBOX_SPEED/],
    ['REELAY_SANDBOX_SPEED', 'Infinity', /REELAY_SANDBOX_SPEED/],
    ['REELAY_SANDBOX_RENDER', 'small', /REELAY_SANDBOX_RENDER must be one of full, tiny/],
    ['REELAY_DEMO', 'perhaps', /REELAY_DEMO must be 0 or 1, not perhaps/],
    ['REELAY_ALLOW_PRIVATE', '10.0.0.0/99', /REELAY_ALLOW_PRIVATE.*10\.0\.0\.0\/99/],
    ['REELAY_ALLOW_PRIVATE', 'http://localhost', /REELAY_ALLOW_PRIVATE/],
    ['REELAY_TRUST_PROXY', 'proxy.local', /REELAY_TRUST_PROXY.*proxy\.local/],
    ['REELAY_LOG_LEVEL', 'loud', /REELAY_LOG_LEVEL must be one of/],
    ['REELAY_CONFIG', 'nowhere.yaml', /REELAY_CONFIG names .*nowhere\.yaml, but there is no such file/],
    ['DATABASE_URL', 'mysql://db/reelay', /DATABASE_URL must be a URL like postgres:/],
    ['DATABASE_URL', 'postgres://db', /DATABASE_URL must be a URL like postgres:/],
    ['REDIS_URL', 'cache:6379', /REDIS_URL must be a URL like redis:/],
    ['REELAY_S3_ENDPOINT', 'https://s3.example.com', /REELAY_S3_BUCKET is missing/],
    ['REELAY_S3_BUCKET', 'films', /REELAY_S3_ENDPOINT is missing/],
    ['REELAY_S3_REGION', 'eu-west-1', /REELAY_S3_ENDPOINT is missing/],
  ];
  for (const [name, text, sentence] of refused) {
    test(`${name}=${text} is refused with its name and the way out`, () =>
      refuses(() => load({ [name]: text }), sentence));
  }

  test('with a shared database the sandbox is off or a process of its own', () => {
    const url = 'postgres://user:secret@db:5432/reelay';
    assert.equal(load({ DATABASE_URL: url }).databaseUrl, url);
    assert.equal(load({ DATABASE_URL: url }).sandbox.mode, 'off');
    const remote = load({ DATABASE_URL: url, REELAY_SANDBOX: 'http://sandbox:8788' });
    assert.equal(remote.sandbox.url, 'http://sandbox:8788');
    refuses(() => load({ DATABASE_URL: url, REELAY_SANDBOX: 'embedded' }), /npm run sandbox/);
    assert.equal(load({ DATABASE_URL: url, REELAY_ROLE: 'api' }).role, 'api');
    refuses(() => load({ REELAY_ROLE: 'api' }), /set DATABASE_URL/);
    refuses(() => load({ DATABASE_URL: url, REELAY_ROLE: 'worker' }), /set REELAY_PUBLIC_URL/);
  });

  test('an S3 endpoint that is no plain origin is refused, and so is half a configuration', () => {
    const s3 = {
      REELAY_S3_ENDPOINT: 'https://s3.example.com',
      REELAY_S3_BUCKET: 'films',
      REELAY_S3_ACCESS_KEY: 'key',
      REELAY_S3_SECRET_KEY: 'secret',
    };
    for (const endpoint of ['s3.example.com', 'https://s3.example.com/films', 'https://a:b@s3.example.com']) {
      refuses(() => load({ ...s3, REELAY_S3_ENDPOINT: endpoint }), /REELAY_S3_ENDPOINT must be an http/);
    }
    for (const name of Object.keys(s3)) {
      refuses(() => load({ ...s3, [name]: undefined }), new RegExp(`${name} is missing`));
    }
  });

  test('that holds a secret is never repeated in a refusal', () => {
    for (const name of ['REELAY_SECRET', 'REELAY_ADMIN_TOKEN']) {
      assert.throws(
        () => load({ [name]: 'hunter2' }),
        (error: Error) => !error.message.includes('hunter2'),
      );
    }
  });
});

describe('what several nodes share', () => {
  test('is taken as given, and the region has the default of stores without regions', () => {
    const { redisUrl, s3 } = load({
      REDIS_URL: 'rediss://user:word@cache:6380/2',
      REELAY_S3_ENDPOINT: 'http://minio:9000/',
      REELAY_S3_BUCKET: 'films',
      REELAY_S3_ACCESS_KEY: 'key',
      REELAY_S3_SECRET_KEY: 'secret',
    });
    assert.equal(redisUrl, 'rediss://user:word@cache:6380/2');
    assert.deepEqual(s3, {
      endpoint: 'http://minio:9000',
      region: 'us-east-1',
      bucket: 'films',
      accessKey: 'key',
      secretKey: 'secret',
    });
  });
});

describe('the YAML file', () => {
  before(() => void rmSync(join(yamlHome, 'reelay.yaml'), { force: true }));

  const everything = `
host: 0.0.0.0
port: 9000
data: films
public_url: https://reelay.example.com/
currency: cny
secret: ${'y'.repeat(32)}
admin_token: ${'y'.repeat(16)}
sandbox: { mode: 'off', speed: 30, render: tiny }
demo: false
allow_private: [localhost, 10.0.0.0/8]
trust_proxy: [10.1.0.0/16]
log_level: info
retention_days: 7
database_url: postgresql://db/reelay
role: worker
redis_url: redis://cache:6379
s3: { endpoint: 'https://s3.example.com', region: auto, bucket: films, access_key: key, secret_key: hidden }
prices:
  - { tier: kling-1.6-720p, unit_price: '0.10' }
  - { tier: kling-1.6-1080p, unit_price: 0.2, operation: image-to-video }
`;

  test('says everything that variables say, and prices and retention besides', () => {
    assert.deepEqual(loadYaml(everything), {
      host: '0.0.0.0',
      port: 9000,
      dataDir: join(yamlHome, 'films'),
      publicUrl: 'https://reelay.example.com',
      currency: 'CNY',
      secret: 'y'.repeat(32),
      secretsAlso: [],
      adminToken: 'y'.repeat(16),
      sandbox: { mode: 'off', url: null, explicit: true, speed: 30, render: 'tiny' },
      demo: false,
      allowPrivate: ['localhost', '10.0.0.0/8'],
      trustProxy: ['10.1.0.0/16'],
      logLevel: 'info',
      prices: [
        { tier: 'kling-1.6-720p', unit_price: '0.10' },
        { tier: 'kling-1.6-1080p', unit_price: 0.2, operation: 'image-to-video' },
      ],
      retentionMs: 7 * 86_400_000,
      keep: { exchangesMs: 30 * 86_400_000, eventsMs: null, tasksMs: null, deliveriesMs: 30 * 86_400_000 },
      databaseUrl: 'postgresql://db/reelay',
      role: 'worker',
      redisUrl: 'redis://cache:6379',
      s3: {
        endpoint: 'https://s3.example.com',
        region: 'auto',
        bucket: 'films',
        accessKey: 'key',
        secretKey: 'hidden',
      },
    });
  });

  test('gives way to the environment', () => {
    const env = {
      HOST: '127.0.0.1',
      PORT: '1',
      REELAY_DATA: 'd',
      REELAY_PUBLIC_URL: 'http://other',
      REELAY_CURRENCY: 'USD',
      REELAY_SECRET: 'e'.repeat(32),
      REELAY_ADMIN_TOKEN: 'e'.repeat(16),
      REELAY_SANDBOX: 'http://sandbox:8788',
      REELAY_SANDBOX_SPEED: '2',
      REELAY_SANDBOX_RENDER: 'full',
      REELAY_DEMO: '1',
      REELAY_ALLOW_PRIVATE: 'host',
      REELAY_TRUST_PROXY: '10.2.0.0/16, ::1',
      REELAY_LOG_LEVEL: 'error',
      DATABASE_URL: 'postgres://other/reelay',
      REELAY_ROLE: 'api',
      REDIS_URL: 'redis://other',
      REELAY_S3_ENDPOINT: 'http://minio:9000',
      REELAY_S3_REGION: 'eu-west-1',
      REELAY_S3_BUCKET: 'other',
      REELAY_S3_ACCESS_KEY: 'other',
      REELAY_S3_SECRET_KEY: 'other',
    };
    const { prices, retentionMs, dataDir, ...config } = loadYaml(everything, env);
    const { prices: _, retentionMs: __, dataDir: ___, ...fromEnvironment } = load(env);
    assert.deepEqual(config, fromEnvironment);
    assert.equal(dataDir, join(yamlHome, 'd'));
    assert.equal(prices.length, 2);
    assert.equal(retentionMs, 7 * 86_400_000);
  });

  test('may say of the sandbox only where it is', () => {
    assert.equal(loadYaml('sandbox: off').sandbox.mode, 'off');
    assert.equal(loadYaml('sandbox: http://127.0.0.1:9').sandbox.url, 'http://127.0.0.1:9');
    assert.equal(loadYaml('sandbox: { speed: 3 }').sandbox.explicit, false);
  });

  test('may be empty, or hold comments only', () => {
    assert.equal(loadYaml('').port, 8787);
    assert.equal(loadYaml('# nothing yet\n').port, 8787);
  });

  test('may have another name', () => {
    writeFileSync(join(home, 'other.yaml'), 'port: 9001');
    assert.equal(load({ REELAY_CONFIG: 'other.yaml' }).port, 9001);
    assert.equal(load({ REELAY_CONFIG: join(home, 'other.yaml') }).port, 9001);
  });

  const refused: [string, string, RegExp][] = [
    ['is no YAML', 'port: [', /is not valid YAML/],
    ['is a list', '- port', /cannot be used/],
    ['has a word nobody knows', 'prot: 8787', /prot/],
    ['has a port that is none', 'port: 70000', /PORT must be a whole number/],
    ['has a text for a port', 'port: "8787"', /port/],
    ['has a price without a tier', 'prices: [{ unit_price: 1 }]', /prices\.0\.tier/],
    ['has a price with a word nobody knows', 'prices: [{ tier: a, unit_price: 1, per: day }]', /prices\.0/],
    ['keeps films for no time', 'retention_days: 0', /retention_days/],
    [
      'forgets tasks that may still run',
      'retention: { tasks_days: 1 }',
      /REELAY_RETENTION_TASKS_DAYS must be at least 4 days/,
    ],
    ['has a short secret', 'secret: short', /REELAY_SECRET must have at least 32/],
    ['allows an address that is none', 'allow_private: ["10.0.0.0/99"]', /10\.0\.0\.0\/99/],
  ];
  for (const [what, text, sentence] of refused) {
    test(`that ${what} is refused with the place`, () => refuses(() => loadYaml(text), sentence));
  }
});
