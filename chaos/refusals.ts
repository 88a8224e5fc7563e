import type { Answer } from '../test/helpers/processes.ts';
import type { Report } from './report.ts';

/** A create by its number, and what came of it. */
export interface Named {
  number: number;
  answer: Answer;
}

/** 503 with our code for it, a sentence, and when to try again: a caller can act on that. */
export function demandClearRefusals(report: Report, refused: Named[]): void {
  const unclear = refused.filter(
    ({ answer: { status, body, headers } }) =>
      status !== 503 ||
      body.error?.code !== 'unavailable' ||
      typeof body.error?.message !== 'string' ||
      headers['retry-after'] === undefined,
  );
  report.demand(
    'refusals are clear: 503 `unavailable`, a sentence, Retry-After',
    unclear.length === 0,
    unclear
      .slice(0, 3)
      .map(({ answer }) => ({ status: answer.status, headers: answer.headers, text: answer.text })),
  );
}
