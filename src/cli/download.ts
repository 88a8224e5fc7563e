import { relative } from 'node:path';
import { Api } from './api.ts';
import { CliError, type Command } from './command.ts';
import { callerOptions, connect, jsonOption, needApiKey } from './connection.ts';
import { startProgress } from './progress.ts';
import { checkTarget, saveVideo, targetPath } from './save.ts';
import { printJson, size } from './text.ts';
import { waitForVideo } from './wait.ts';

export const download: Command = {
  words: ['download'],
  summary: 'Save the video of a task; waits for it when it is not finished.',
  positionals: ['<task-id>'],
  options: {
    output: {
      type: 'string',
      short: 'o',
      value: '<file>',
      help: 'File or folder (default: <task-id>.mp4 here).',
    },
    ...jsonOption,
    ...callerOptions,
  },
  examples: ['reelay download task_… -o cat.mp4'],
  async run(input, context) {
    const { terminal, signal } = context;
    const connection = connect(input, context);
    const api = new Api(connection.url, needApiKey(connection), signal);
    const named = input.text('output');
    await checkTarget(named, context);
    const progress = startProgress(terminal);
    const video = await waitForVideo(api, input.positionals[0]!, progress, signal).finally(() =>
      progress.end(),
    );
    if (video.status === 'failed') {
      throw new CliError(
        `The task failed, there is no video: ${video.error?.message ?? 'no reason was given'}`,
      );
    }
    const saved = await saveVideo(api, video.id, await targetPath(named, video.id, context), context);
    if (input.flag('json')) printJson(terminal, { ...video, file: saved.path, bytes: saved.bytes });
    else terminal.out(`${relative(context.cwd, saved.path)}  ${size(saved.bytes)}\n`);
    return 0;
  },
};
