import assert from 'node:assert/strict';
import { tmpdir } from 'node:os';
import { test } from 'node:test';
import { commands } from './commands.ts';
import { runCli } from './main.ts';
import { createTestContext } from './test-gateway.ts';

async function run(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const context = createTestContext({ cwd: tmpdir() });
  const code = await runCli(args, context);
  return { code, ...context.output() };
}

test('every command has its own help with examples', async () => {
  for (const command of commands) {
    const { code, out, err } = await run(...command.words, '--help');
    assert.equal(code, 0);
    assert.equal(err, '');
    assert.ok(out.includes(command.summary));
    assert.ok(command.examples.length > 0, command.words.join(' '));
    for (const option of Object.keys(command.options)) assert.ok(out.includes(`--${option}`), option);
    for (const example of command.examples)
      assert.match(example, new RegExp(`reelay ${command.words.join(' ')}`));
  }
});

test('without a command it shows what there is', async () => {
  for (const args of [[], ['--help'], ['help']]) {
    const { code, out } = await run(...args);
    assert.equal(code, 0);
    for (const command of commands) assert.ok(out.includes(command.words.join(' ')));
  }
});

test('a group shows its commands', async () => {
  assert.match((await run('keys', '--help')).out, /keys create/);
  const { code, err } = await run('keys');
  assert.equal(code, 2);
  assert.match(err, /keys create/);
});

test('a wrong call says what to write instead and ends with 2', async () => {
  const calls: [string[], RegExp][] = [
    [['genrate'], /Did you mean "generate"/],
    [['tasks', 'lst'], /Did you mean "tasks list"/],
    [['generate', '--modl', 'x'], /Unknown option --modl\. Did you mean --model\?/],
    [['generate', 'a', 'cat'], /does not take "cat".*quotes/],
    [['generate', 'x', '--model'], /--model needs a value/],
    [['generate', 'x', '--sound=loud'], /--sound takes no value/],
    [['top-up', 'demo'], /needs <amount>/],
    [['top-up', 'demo', 'ten'], /decimal like 25/],
    [['tasks', 'list', '--limit', '0'], /--limit must be a whole number from 1/],
    [['channels', 'add', 'kling'], /needs a credential/],
  ];
  for (const [args, expected] of calls) {
    const { code, err, out } = await run(...args);
    assert.equal(code, 2, args.join(' '));
    assert.match(err, expected);
    assert.equal(out, '');
  }
});

test('a prompt may read like an option after --', async () => {
  const { code, err } = await run(
    'generate',
    '--dry-run',
    '--url',
    'http://127.0.0.1:1',
    '--key',
    'k',
    '--',
    '--help',
  );
  assert.equal(code, 1);
  assert.match(err, /npm start/);
});
