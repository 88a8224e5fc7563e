import type { Command } from './command.ts';

export const start: Command = {
  words: ['start'],
  summary: 'Start the gateway in this terminal, as npm start does.',
  options: {},
  ownsSignals: true,
  notes: [
    'Settings come from the environment and reelay.yaml: HOST, PORT, REELAY_DATA, REELAY_PUBLIC_URL, REELAY_CURRENCY,',
    'REELAY_SANDBOX, … (see README.md). Ctrl-C or SIGTERM lets work in hand finish, then stops.',
  ],
  examples: ['reelay start', 'PORT=9000 REELAY_DATA=/var/lib/reelay reelay start'],
  async run() {
    // Loaded here, not above: the other commands need nothing of the gateway's modules.
    const { main } = await import('../main.ts');
    await main();
    // A code that start-up left (a port in use, say) must reach the shell.
    return typeof process.exitCode === 'number' ? process.exitCode : 0;
  },
};
