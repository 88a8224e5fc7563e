import type { Command } from './command.ts';

export const start: Command = {
  words: ['start'],
  summary: 'Start the gateway in this terminal, as npm start does.',
  options: {
    role: {
      type: 'string',
      value: '<all|api|worker>',
      help: 'What this node of several does: answer callers (api), work in the background (worker), or both (all).',
    },
  },
  ownsSignals: true,
  notes: [
    'Settings come from the environment and reelay.yaml: HOST, PORT, REELAY_DATA, REELAY_PUBLIC_URL, REELAY_CURRENCY,',
    'REELAY_SANDBOX, REELAY_ROLE, … (see README.md). Ctrl-C or SIGTERM lets work in hand finish, then stops.',
  ],
  examples: [
    'reelay start',
    'PORT=9000 REELAY_DATA=/var/lib/reelay reelay start',
    'DATABASE_URL=postgres://reelay@db/reelay reelay start --role=worker',
  ],
  async run(input, { env }) {
    // Loaded here, not above: the other commands need nothing of the gateway's modules.
    const { main } = await import('../main.ts');
    const role = input.text('role');
    await main(role === undefined ? env : { ...env, REELAY_ROLE: role });
    // A code that start-up left (a port in use, say) must reach the shell.
    return typeof process.exitCode === 'number' ? process.exitCode : 0;
  },
};
