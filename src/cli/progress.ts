/** What is shown while a task runs: one live line in a terminal, else a line for each change of state. */
import type { Terminal } from './terminal.ts';
import { elapsed } from './text.ts';
import { cut, padEnd } from './width.ts';
import type { Video } from './wire.ts';

export interface Progress {
  /** A new answer of the gateway. */
  show(video: Pick<Video, 'status' | 'progress'>): void;
  /** Something to know meanwhile, e.g. that the gateway does not answer. */
  note(text: string): void;
  /** Clears the live line. */
  end(): void;
}

const BAR_WIDTH = 28;
/** The clock on the line moves; faster redraws show nothing more. */
const REDRAW_MS = 250;

export function startProgress(terminal: Terminal, startedAt = Date.now()): Progress {
  return terminal.isInteractive ? liveLine(terminal, startedAt) : changes(terminal, startedAt);
}

function liveLine(terminal: Terminal, startedAt: number): Progress {
  let last: Pick<Video, 'status' | 'progress'> = { status: 'queued', progress: 0 };
  let remark = '';
  const draw = () => {
    const line = progressLine(last, Date.now() - startedAt, remark);
    terminal.err(`\r\u001b[2K${cut(line, terminal.columns() - 1)}`);
  };
  const timer = setInterval(draw, REDRAW_MS);
  timer.unref();
  draw();
  return {
    show(video) {
      last = video;
      remark = '';
      draw();
    },
    note(text) {
      remark = text;
      draw();
    },
    end() {
      clearInterval(timer);
      terminal.err('\r\u001b[2K');
    },
  };
}

/** `██████████░░░░░░░░░░  48 %  in progress  0:12`. */
export function progressLine(
  { status, progress }: Pick<Video, 'status' | 'progress'>,
  elapsedMs: number,
  remark: string,
): string {
  const share = Math.min(100, Math.max(0, progress)) / 100;
  const full = Math.round(share * BAR_WIDTH);
  const bar = '█'.repeat(full) + '░'.repeat(BAR_WIDTH - full);
  const percent = `${String(Math.round(share * 100)).padStart(3)} %`;
  const line = `${bar} ${percent}  ${padEnd(stateWords(status), 11)}  ${elapsed(elapsedMs)}`;
  return remark === '' ? line : `${line}  ${remark}`;
}

function changes(terminal: Terminal, startedAt: number): Progress {
  let lastShown = '';
  const print = (text: string) => {
    if (text === lastShown) return;
    lastShown = text;
    terminal.err(`${elapsed(Date.now() - startedAt)}  ${text}\n`);
  };
  return { show: ({ status }) => print(stateWords(status)), note: print, end: () => {} };
}

function stateWords(status: string): string {
  return status.replace('_', ' ');
}
