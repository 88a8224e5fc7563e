/**
 * What operators run cannot all be started here: it is read, put together and compared with the program instead.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { request } from 'undici';
import { parse, parseAllDocuments } from 'yaml';
import { startGateway } from '../src/app.ts';
import { loadConfig } from '../src/config.ts';
import { renderTemplate } from './helpers/helm.ts';
import { temporaryDirectory, type LooseJson } from './helpers/processes.ts';

const read = (path: string): string => readFileSync(path, 'utf8');

/** Variables the program reads, by its own source. */
const KNOWN_VARIABLES = new Set(
  [
    ...`${read('src/config.ts')}${read('src/sandbox/main.ts')}`.matchAll(
      /'([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*)'/g,
    ),
  ].map(([, name]) => name!),
);

describe('the dashboard', () => {
  const dashboard = JSON.parse(read('deploy/grafana-dashboard.json')) as LooseJson;
  const panels = (dashboard.panels as LooseJson[]).filter(({ type }) => type !== 'row');

  test('names only metrics that the gateway shows, and so does the guide', async () => {
    const directory = temporaryDirectory();
    const gateway = await startGateway(
      loadConfig({
        REELAY_DATA: directory.path,
        PORT: '0',
        REELAY_SANDBOX: 'off',
        REELAY_LOG_LEVEL: 'silent',
      }),
    );
    const text = await (await request(`${gateway.url}/metrics`)).body.text();
    await gateway.close();
    directory.dispose();

    const shown = new Set<string>();
    for (const [, name, type] of text.matchAll(/^# TYPE (\S+) (\S+)$/gm)) {
      if (type !== 'histogram') shown.add(name!);
      else for (const part of ['_bucket', '_sum', '_count']) shown.add(name! + part);
    }
    const named = panels.flatMap(({ targets }) =>
      (targets as LooseJson[]).flatMap(
        ({ expr }) => String(expr).match(/\b(?:reelay|nodejs|process)_\w+/g) ?? [],
      ),
    );
    assert.ok(named.length > 20);
    assert.deepEqual(
      [...new Set(named)].filter((name) => !shown.has(name)),
      [],
    );
    // Prose names a histogram as a whole.
    for (const [, name] of text.matchAll(/^# TYPE (\S+) histogram$/gm)) shown.add(name!);
    const told = read('reference/guides/operations.md').match(/\b(?:reelay|nodejs|process)_\w+/g) ?? [];
    assert.deepEqual(
      told.filter((name) => !shown.has(name)),
      [],
    );
  });

  test('leaves no metric of ours out', () => {
    const queries = JSON.stringify(panels);
    const ours = [...read('src/measures.ts').matchAll(/name: '(reelay_\w+)'/g)].map(([, name]) => name!);
    assert.ok(ours.length >= 10);
    assert.deepEqual(
      ours.filter((name) => !queries.includes(name)),
      [],
    );
  });

  test('has a title, a unit and a sentence for every panel, and no two in one place', () => {
    const places = new Set<string>();
    for (const { title, description, fieldConfig, gridPos, targets } of panels) {
      assert.ok(title && description && fieldConfig.defaults.unit && targets.length > 0, title);
      places.add(`${gridPos.x},${gridPos.y}`);
      for (const { expr } of targets as LooseJson[]) {
        const depth = [...String(expr)].reduce(
          (open, character) => open + (character === '(' ? 1 : character === ')' ? -1 : 0),
          0,
        );
        assert.equal(depth, 0, expr);
      }
    }
    assert.equal(places.size, panels.length);
  });
});

describe('compose.yaml', () => {
  const compose = parse(read('compose.yaml'), { merge: true }) as LooseJson;
  const services = Object.entries(compose.services as Record<string, LooseJson>);
  /** Of the Compose specification, those that are used. */
  const serviceKeys = new Set(
    (
      'build cap_drop command depends_on environment healthcheck image init network_mode ports read_only restart ' +
      'security_opt shm_size stop_grace_period tmpfs volumes'
    ).split(' '),
  );

  test('says only what Compose knows', () => {
    for (const key of Object.keys(compose)) assert.match(key, /^(name|services|volumes|x-[a-z]+)$/);
    for (const [name, service] of services) {
      for (const key of Object.keys(service)) assert.ok(serviceKeys.has(key), `${name}.${key}`);
      for (const value of Object.values(service.environment ?? {}))
        assert.equal(typeof value, 'string', name);
      for (const word of service.command ?? []) assert.equal(typeof word, 'string', `${name}: ${word}`);
    }
  });

  test('every service it waits for exists and has a health check, every volume is declared, every file is there', () => {
    for (const [name, { depends_on: needs, volumes, network_mode: network }] of services) {
      for (const [needed, how] of Object.entries(Array.isArray(needs) ? {} : (needs ?? {}))) {
        assert.ok(compose.services[needed], `${name} needs ${needed}`);
        if ((how as LooseJson).condition !== 'service_healthy') continue;
        const isOurs = String(compose.services[needed].image).startsWith('reelay:');
        assert.ok(compose.services[needed].healthcheck ?? isOurs, `${needed} has no health check`);
      }
      for (const volume of volumes ?? []) {
        const source = String(volume).split(':')[0]!;
        if (source.startsWith('./')) assert.ok(existsSync(source), source);
        else assert.ok(source in compose.volumes, `${name}: ${source}`);
      }
      if (network) assert.ok(compose.services[String(network).replace('service:', '')], network);
    }
  });

  test('images are pinned, and our own containers can write nothing but their data', () => {
    for (const [name, service] of services) {
      assert.match(service.image, /:[^:]*[\d.]+|^reelay:local$/, name);
      assert.doesNotMatch(service.image, /:latest$/);
      if (service.image !== 'reelay:local') continue;
      assert.equal(service.read_only, true, name);
      assert.deepEqual(service.cap_drop, ['ALL'], name);
    }
  });

  test('what it asks the environment for is in the example, and no secret is written down', () => {
    const asked = new Set([...read('compose.yaml').matchAll(/\$\{([A-Z0-9_]+)/g)].map(([, name]) => name!));
    const example = [...read('deploy/compose.env.example').matchAll(/^([A-Z0-9_]+)=(.*)$/gm)];
    assert.deepEqual(new Set(example.map(([, name]) => name!)), asked);
    for (const [, name, value] of example)
      if (/SECRET|TOKEN|PASSWORD|KEY/.test(name!)) assert.equal(value, '');
  });

  test('gives the gateway only settings that it reads, and such that it accepts', () => {
    for (const name of ['gateway-1', 'gateway-2', 'sandbox']) {
      const { environment } = compose.services[name];
      for (const variable of Object.keys(environment)) assert.ok(KNOWN_VARIABLES.has(variable), variable);
    }
    const settings = Object.fromEntries(
      Object.entries(compose.services['gateway-1'].environment as Record<string, string>).map(
        ([name, value]) => [
          name,
          value.replace(
            /\$\{\w+(?::-([^}]*)|:\?[^}]*)?\}/g,
            (_, preset?: string) => preset ?? 'x'.repeat(40),
          ),
        ],
      ),
    );
    const { databaseUrl, redisUrl, s3 } = loadConfig({ ...settings, REELAY_DATA: '/data' });
    assert.ok(databaseUrl !== null && redisUrl !== null && s3 !== null);
  });
});

describe('the Dockerfile', () => {
  const lines = read('Dockerfile').split('\n');

  test('copies only what is there and is sent to the builder', () => {
    const sent = read('.dockerignore').split('\n');
    const copied = lines
      .filter((line) => line.startsWith('COPY ') && !line.includes('--from='))
      .flatMap((line) => line.split(' ').slice(1, -1));
    assert.ok(copied.length >= 5);
    for (const path of copied) {
      assert.ok(existsSync(path), path);
      assert.ok(sent.includes(`!${path}`), `${path} is not sent`);
    }
  });

  test('runs the program itself, as nobody’s root, with a health check', () => {
    assert.ok(lines.includes('USER node'));
    assert.ok(lines.includes('CMD ["node", "src/main.ts"]'));
    assert.ok(lines.some((line) => line.startsWith('HEALTHCHECK ')));
    for (const line of lines.filter((each) => each.startsWith('FROM ')))
      assert.match(line, /^FROM node:24-slim/);
  });

  test('the program needs nothing of what is only for development', () => {
    const { devDependencies } = JSON.parse(read('package.json')) as LooseJson;
    const imported = readdirSync('src', { recursive: true, encoding: 'utf8' })
      .filter(
        (path) => path.endsWith('.ts') && !/\.(test|fixture)\.ts$|contract|(fake|test)-|-sample/.test(path),
      )
      .flatMap((path) => [...read(join('src', path)).matchAll(/(?:from|import\()\s*'([^.'][^']*)'/g)])
      .map(([, name]) =>
        name!
          .split('/')
          .slice(0, name!.startsWith('@') ? 2 : 1)
          .join('/'),
      );
    assert.ok(imported.includes('fastify'));
    assert.deepEqual(
      [...new Set(imported)].filter((name) => name in devDependencies),
      [],
    );
  });
});

describe('the Helm chart', () => {
  const chart = 'deploy/helm/reelay';
  const values = parse(read(join(chart, 'values.yaml'))) as LooseJson;

  function render(changed: (values: LooseJson) => void = () => {}): LooseJson[] {
    const given = structuredClone(values);
    changed(given);
    return readdirSync(join(chart, 'templates')).flatMap((file) =>
      parseAllDocuments(
        renderTemplate(read(join(chart, 'templates', file)), { name: 'media', values: given }),
      )
        .map((document) => {
          assert.deepEqual(document.errors, [], file);
          return document.toJS() as LooseJson;
        })
        .filter((object) => object !== null),
    );
  }

  test('every placeholder has its value, and everything is an object of Kubernetes', () => {
    const kinds = render((given) => {
      given.ingress.enabled = true;
      given.api.autoscaling.enabled = true;
    }).map(({ apiVersion, kind, metadata }) => {
      assert.ok(apiVersion && metadata.name.startsWith('media'), kind);
      return kind;
    });
    assert.deepEqual(kinds.sort(), [
      'ConfigMap',
      'Deployment',
      'Deployment',
      'HorizontalPodAutoscaler',
      'Ingress',
      'PodDisruptionBudget',
      'PodDisruptionBudget',
      'Service',
    ]);
  });

  test('what is optional is left out unless asked for, and replicas are whoever scales', () => {
    const plain = render();
    assert.ok(!plain.some(({ kind }) => kind === 'Ingress' || kind === 'HorizontalPodAutoscaler'));
    const api = (objects: LooseJson[]) => objects.find(({ metadata }) => metadata.name === 'media-api').spec;
    assert.equal(api(plain).replicas, values.api.replicas);
    assert.equal(api(render((given) => (given.api.autoscaling.enabled = true))).replicas, undefined);
  });

  test('pods run as nobody’s root on a read-only root, with probes that exist, and are found by their selectors', () => {
    const objects = render();
    for (const { spec } of objects.filter(({ kind }) => kind === 'Deployment')) {
      const { template, selector } = spec;
      const [container] = template.spec.containers;
      assert.equal(template.spec.securityContext.runAsNonRoot, true);
      assert.equal(container.securityContext.readOnlyRootFilesystem, true);
      assert.deepEqual(container.resources, values.api.resources);
      for (const [key, value] of Object.entries(selector.matchLabels)) {
        assert.equal(template.metadata.labels[key], value);
      }
      const health = read('src/http/health.ts');
      for (const probe of ['startupProbe', 'livenessProbe', 'readinessProbe']) {
        assert.ok(health.includes(`'${container[probe].httpGet.path}'`), probe);
      }
    }
    const service = objects.find(({ kind }) => kind === 'Service').spec;
    assert.equal(service.selector['app.kubernetes.io/component'], 'api');
  });

  test('gives the gateway only settings that it reads, and such that both roles accept', () => {
    const { data } = render().find(({ kind }) => kind === 'ConfigMap');
    for (const variable of Object.keys(data)) assert.ok(KNOWN_VARIABLES.has(variable), variable);
    const secret = Object.fromEntries(
      [
        ...read(join(chart, 'values.yaml')).matchAll(
          /\b(REELAY_S3_\w+_KEY|REELAY_SECRET|REELAY_ADMIN_TOKEN)\b/g,
        ),
      ].map(([name]) => [name, 'x'.repeat(40)]),
    );
    for (const role of ['api', 'worker']) {
      const config = loadConfig({
        ...data,
        ...secret,
        DATABASE_URL: 'postgres://db/reelay',
        REELAY_ROLE: role,
        REELAY_DATA: '/data',
      });
      assert.equal(config.role, role);
      assert.equal(config.s3?.bucket, values.s3.bucket);
    }
  });

  test('has the version of the program', () => {
    const { version } = JSON.parse(read('package.json')) as LooseJson;
    assert.equal((parse(read(join(chart, 'Chart.yaml'))) as LooseJson).appVersion, version);
    assert.equal(values.image.tag, version);
  });
});

test('the systemd unit starts what is there, with settings the program reads', () => {
  const unit = read('deploy/reelay.service');
  const started = /^ExecStart=\/usr\/bin\/node (\S+)$/m.exec(unit)?.[1];
  assert.ok(started && existsSync(started));
  const [, settings = ''] = /^Environment=(.*)$/m.exec(unit) ?? [];
  for (const setting of settings.split(' ')) {
    const name = setting.split('=')[0]!;
    assert.ok(KNOWN_VARIABLES.has(name) || /^(NODE|MALLOC)_/.test(name), name);
  }
  const verified = spawnSync('systemd-analyze', ['verify', '--man=no', 'deploy/reelay.service'], {
    encoding: 'utf8',
  });
  // Where systemd is not there, only the above is said of it; it complains of a missing program, too.
  if (verified.error) return;
  const faults = verified.stderr.split('\n').filter((line) => line.includes('reelay.service:'));
  assert.deepEqual(faults, []);
});

test('the reverse proxy in the example reaches the gateways of compose.yaml, and lets whole requests through', () => {
  const nginx = read('deploy/nginx.conf');
  const { services } = parse(read('compose.yaml'), { merge: true }) as LooseJson;
  const servers = [...nginx.matchAll(/^\s*server ([\w-]+):(\d+)/gm)];
  assert.equal(servers.length, 2);
  for (const [, name, port] of servers) {
    assert.ok(services[name!], name);
    assert.equal(port, '8787');
  }
  const bytesMax = Number(/client_max_body_size (\d+)m;/.exec(nginx)?.[1]) * 1024 * 1024;
  const [, megabytes] =
    /bodyBytesMax = (\d+) \* 1024 \* 1024/.exec(read('src/http/plugins/app/json-body.ts')) ?? [];
  assert.ok(bytesMax > Number(megabytes) * 1024 * 1024, String(bytesMax));
  let depth = 0;
  for (const character of nginx.replace(/#.*$/gm, ''))
    depth += character === '{' ? 1 : character === '}' ? -1 : 0;
  assert.equal(depth, 0);
});
