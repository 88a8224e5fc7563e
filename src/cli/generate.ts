/** One video from the command line: what it will cost, the wait, the file. */
import { relative } from 'node:path';
import { Api, RefusedError, UnreachableError, type Answer, type Call } from './api.ts';
import { CliError, type Command, type Context, type Input } from './command.ts';
import { callerOptions, connect, jsonOption, needApiKey } from './connection.ts';
import { generateRequest, MODEL_DEFAULT } from './generate-request.ts';
import { startProgress } from './progress.ts';
import { checkTarget, saveVideo, targetPath } from './save.ts';
import { facts } from './table.ts';
import { ownName, printJson, printWarnings, size } from './text.ts';
import { waitForVideo } from './wait.ts';
import type { Estimate, Video } from './wire.ts';

export const generate: Command = {
  words: ['generate'],
  summary: 'Make a video: shows the price, waits, saves the file.',
  positionals: ['[prompt]'],
  options: {
    output: {
      type: 'string',
      short: 'o',
      value: '<file>',
      help: 'File or folder (default: <task-id>.mp4 here).',
    },
    model: {
      type: 'string',
      short: 'm',
      value: '<model>',
      help: `Model (default ${MODEL_DEFAULT}; see GET /v1/models).`,
    },
    duration: { type: 'string', short: 'd', value: '<seconds>', help: 'Length in seconds (default 5).' },
    resolution: { type: 'string', value: '<grade>', help: '720P, 1080P or 4K (default 720P).' },
    ratio: {
      type: 'string',
      value: '<w:h>',
      help: '16:9, 9:16 or 1:1 (default 16:9; a first frame decides itself).',
    },
    image: { type: 'string', value: '<file or URL>', help: 'First frame.' },
    'last-frame': { type: 'string', value: '<file or URL>', help: 'Last frame.' },
    sound: { type: 'boolean', help: 'With sound.' },
    mode: { type: 'string', value: '<mode>', help: 'std or pro, as Kling calls the grades.' },
    'dry-run': { type: 'boolean', help: 'Only show what it would cost; nothing is made.' },
    ...jsonOption,
    ...callerOptions,
  },
  notes: [
    'What is created never costs more than the price that was shown. A failed task costs nothing.',
    'Exit codes: 0 done, 1 failed, 2 asked in a wrong way, 130 interrupted (the task goes on).',
  ],
  examples: [
    'reelay generate "a cat playing with yarn" --model kling-v1-6 --duration 5 -o cat.mp4',
    'reelay generate "the waves start to move" --image beach.jpg --model kling-2.5 --resolution 1080P',
    'reelay generate "a street band" --model kling-3.0 --sound --ratio 9:16 --dry-run',
  ],
  run,
};

async function run(input: Input, context: Context): Promise<number> {
  const { terminal, signal } = context;
  const connection = connect(input, context);
  const api = new Api(connection.url, needApiKey(connection), signal);
  const named = input.text('output');
  await checkTarget(named, context);
  const body = await generateRequest(input, context);

  const { body: estimate } = await api.call<Estimate>('/v1/videos', {
    method: 'POST',
    query: { dry_run: 'true' },
    ...body,
  });
  printWarnings(terminal, estimate.warnings);
  if (input.flag('dry-run')) {
    if (input.flag('json')) printJson(terminal, estimate);
    else terminal.out(estimateText(estimate));
    return 0;
  }
  terminal.err(
    `${priceText(estimate)}, ${estimate.model}; ${estimate.balance_after} ${estimate.currency} left after it\n`,
  );

  const created = await create(api, body, estimate, context);
  const { id } = created.body;
  try {
    terminal.err(`${terminal.paint('dim', `task ${id}`)}\n`);
    const progress = startProgress(terminal);
    const video = await waitForVideo(api, id, progress, signal, created).finally(() => progress.end());
    if (video.status === 'failed') return reportFailure(video, input, context);
    const saved = await saveVideo(api, id, await targetPath(named, id, context), context);
    if (input.flag('json')) {
      printJson(terminal, { ...video, file: saved.path, bytes: saved.bytes });
      return 0;
    }
    terminal.out(
      facts([
        ['file', relative(context.cwd, saved.path)],
        ['size', `${size(saved.bytes)}, ${video.size}, ${video.seconds} s`],
        ['cost', `${priceText(estimate)} (${video.model})`],
        ['task', id],
      ]),
    );
    return 0;
  } catch (error) {
    if (!signal.aborted && !(error instanceof UnreachableError)) throw error;
    const why = error instanceof UnreachableError ? `${error.message}\n` : '';
    const self = ownName(context.env);
    const output = named === undefined ? '' : ` -o ${named}`;
    terminal.err(
      `${why}The task goes on without us. See how it does:  ${self} tasks get ${id}\n` +
        `Get the video when it is finished:          ${self} download ${id}${output}\n`,
    );
    return signal.aborted ? 130 : 1;
  }
}

/** Creates the task at no more than the price that was shown. */
async function create(
  api: Api,
  body: Pick<Call, 'json' | 'form'>,
  estimate: Estimate,
  { signal, env }: Context,
): Promise<Answer<Video>> {
  try {
    return await api.call<Video>('/v1/videos', {
      method: 'POST',
      headers: { 'reelay-max-cost': estimate.amount },
      ...body,
    });
  } catch (error) {
    if (error instanceof RefusedError) throw error;
    if (error instanceof UnreachableError && error.isRefused) throw error;
    const what = signal.aborted ? 'Interrupted' : (error as Error).message.replace(/\.$/, '');
    throw new CliError(
      `${what}. Whether the task was created is not known: look before you try again, with ${ownName(env)} tasks list.`,
      signal.aborted ? 130 : 1,
    );
  }
}

function reportFailure(video: Video, input: Input, { terminal, env }: Context): number {
  if (input.flag('json')) printJson(terminal, video);
  const reason = video.error?.message ?? 'no reason was given';
  terminal.err(
    `${terminal.paint('red', 'The task failed:')} ${reason}\nNothing was charged. Details: ${ownName(env)} tasks get ${video.id}\n`,
  );
  return 1;
}

function estimateText(estimate: Estimate): string {
  const { canonical } = estimate;
  return facts([
    ['model', estimate.requested_model],
    ['billed as', estimate.model],
    ['makes', canonical.operation],
    ['picture', [canonical.resolution, canonical.aspect_ratio].filter(Boolean).join(', ')],
    ['length', `${canonical.seconds} s, ${canonical.sound ? 'with sound' : 'no sound'}`],
    ['cost', `${priceText(estimate)} (${estimate.quantity} × ${estimate.unit_price} per ${estimate.unit})`],
    ['left after', `${estimate.balance_after} ${estimate.currency}`],
  ]);
}

/** The charge is the quote, except where the length is only known at the end. */
function priceText(estimate: Estimate): string {
  const price = `${estimate.amount} ${estimate.currency}`;
  return estimate.quantity_max === undefined ? price : `at most ${price}`;
}
