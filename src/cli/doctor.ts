import type { Finding } from './check.ts';
import type { Command, Context } from './command.ts';
import { adminOptions, connect, dataDirectory, isLoopback, jsonOption } from './connection.ts';
import { checkGateway } from './doctor-gateway.ts';
import { checkConfig, checkDataDirectory, checkLocalClock, checkNode } from './doctor-local.ts';
import { printJson } from './text.ts';
import { padEnd, plain } from './width.ts';

export const doctor: Command = {
  words: ['doctor'],
  summary:
    'Check Node, configuration, disk, clock, the gateway and its upstreams; says how to mend what is wrong.',
  options: { ...jsonOption, ...adminOptions },
  notes: [
    '✓ fine, ! works with a reservation, ✗ wrong (exit code 1). Works without a running gateway, too.',
    'With --url of another machine only the gateway itself is checked, not the folders here.',
  ],
  examples: ['reelay doctor', 'reelay doctor --url https://reelay.example.com --admin-token …'],
  async run(input, context) {
    const connection = connect(input, context);
    const isElsewhere = connection.isUrlGiven && !isLoopback(connection.url);
    const findings = [checkNode()];
    const { finding, config } = checkConfig(context);
    if (!isElsewhere) {
      findings.push(finding, ...(await checkDataDirectory(config?.dataDir ?? dataDirectory(context))));
      findings.push(await checkLocalClock());
    }
    findings.push(...(await checkGateway(connection, isElsewhere ? null : config, context)));
    if (input.flag('json')) printJson(context.terminal, findings);
    else print(findings, context);
    return findings.some((each) => each.verdict === 'wrong') ? 1 : 0;
  },
};

function print(findings: Finding[], { terminal }: Context): void {
  const marks = {
    ok: terminal.paint('green', '✓'),
    attention: terminal.paint('yellow', '!'),
    wrong: terminal.paint('red', '✗'),
  };
  const width = Math.max(...findings.map((finding) => finding.topic.length));
  for (const { verdict, topic, message, advice } of findings) {
    terminal.out(`${marks[verdict]} ${padEnd(topic, width)}  ${plain(message)}\n`);
    if (advice !== undefined) terminal.out(`  ${padEnd('', width)}  → ${advice}\n`);
  }
}
