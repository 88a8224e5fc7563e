/** What simulators stand on: state, time, links, and the lies the control API asks for. */
import type { Clock } from '../lib/clock.ts';
import { createIds } from '../lib/ids.ts';
import type { SimulatedStatus, SimulatedTask, SimulatorHost } from '../providers/kit/simulator.ts';
import type { Behaviour } from './behaviour.ts';
import type { FileLinks } from './file-links.ts';
import type { Pictures } from './pictures.ts';
import type { SandboxState } from './state.ts';

export function createHost(options: {
  state: SandboxState;
  clock: Clock;
  speed: number;
  behaviour: () => Behaviour;
  pictures: Pictures;
  links: FileLinks;
  onAccepted: (task: SimulatedTask) => void;
}): SimulatorHost {
  const { state, clock, speed, behaviour, pictures, links, onAccepted } = options;
  const ids = createIds();
  // How often a task was asked for while the sandbox lies: every second answer is a lie.
  const answers = new Map<string, number>();
  return {
    now: () => clock.now(),
    scaled: (ms) => Math.round(ms / speed),
    behaviour: () => {
      const { slots, duplicates, status } = behaviour();
      return { slots, duplicates, status };
    },
    newDecimalId() {
      // An earlier process may have given out the ids of this millisecond.
      for (;;) {
        const id = ids.decimalId(clock.now());
        if (!state.getTask(id)) return id;
      }
    },
    keepPicture: (bytes) => pictures.keep(bytes),
    addTask(task) {
      state.addTask(task);
      onAccepted(task);
    },
    findTask: (upstream, account, id) => state.findTask(upstream, account, id),
    listTasks: (query) => state.listTasks(query),
    slotsTaken: (upstream, account, pack) => state.slotsTaken(upstream, account, pack, clock.now()),
    succeededTasks: (upstream, account) =>
      [...state.accountTasks(upstream, account)]
        .map(({ task }) => task)
        .filter((task) => honestStatus(task, clock.now()) === 'succeeded'),
    statusOf(task) {
      const honest = honestStatus(task, clock.now());
      const manner = behaviour().status;
      if (manner === 'honest') return honest;
      const count = (answers.get(task.taskId) ?? 0) + 1;
      answers.set(task.taskId, count);
      return count % 2 === 0 ? lie(honest, manner) : honest;
    },
    filmUrl: (task, variant, origin) => origin + links.path(task.taskId, variant),
    fileUrl: (task, name, origin) => origin + links.filePath(task.taskId, name),
    keepRecord: (record) => state.keepRecord(record),
    findRecord: (upstream, account, kind, id) => state.findRecord(upstream, account, kind, id),
  };
}

/** What a task's status is by the clock. */
export function honestStatus(task: SimulatedTask, now: number): SimulatedStatus {
  if (task.endsAt !== null && now >= task.endsAt) {
    return task.fate.end === 'failed' ? 'failed' : 'succeeded';
  }
  return now >= task.processingAt ? 'processing' : 'submitted';
}

function lie(honest: SimulatedStatus, manner: 'backwards' | 'twice'): SimulatedStatus {
  const isFinal = honest === 'succeeded' || honest === 'failed';
  if (manner === 'twice') return isFinal ? 'processing' : honest;
  return honest === 'processing' ? 'submitted' : honest;
}
