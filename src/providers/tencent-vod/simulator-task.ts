/** A simulated task in the words of VOD. */
import type { Json } from '../../lib/json.ts';
import type { SimulatedStatus, SimulatedTask, SimulatorHost } from '../kit/simulator.ts';
import type { WireObject } from './wire.ts';

/** What the simulator keeps of a task beyond what the sandbox knows. */
export interface TaskDetails {
  /** Echoed as `Input`, without its files. */
  input: WireObject;
  sessionContext: string;
  /** Whole seconds, as they are billed. */
  seconds: number;
  /** Of the file. */
  durationSeconds: number;
}

/** Links to temporary files end after this. */
const linkLifetimeMs = 7 * 86_400_000;

const words: Record<SimulatedStatus, string> = {
  submitted: 'WAITING',
  processing: 'PROCESSING',
  succeeded: 'FINISH',
  // There is no word for failure: the task is finished and has an ErrCode.
  failed: 'FINISH',
};

/** The one number that is documented for a name; the others are the sandbox's own. */
const overConcurrency = 70_000;
const otherFailure = 70_001;

/** `Response` of DescribeTaskDetail. */
export function renderDetail(
  task: SimulatedTask,
  status: SimulatedStatus,
  host: SimulatorHost,
  origin: string,
): WireObject {
  return {
    TaskType: 'AigcVideoTask',
    ...timesOf(task, status),
    Status: words[status],
    ProcedureTask: null,
    AigcImageTask: null,
    AigcVideoTask: renderVideoTask(task, status, host, origin),
  };
}

/** `AigcVideoTask`, also the body of the event about its end. */
export function renderVideoTask(
  task: SimulatedTask,
  status: SimulatedStatus,
  host: SimulatorHost,
  origin: string,
): WireObject {
  const details = detailsOf(task);
  const isOver = status === 'succeeded' || status === 'failed';
  const failure = status === 'failed' && task.fate.end === 'failed' ? task.fate : null;
  return {
    TaskId: task.taskId,
    // This one has two words only.
    Status: isOver ? 'FINISH' : 'PROCESSING',
    ErrCode: failure ? (failure.code === 'RequestLimitExceeded' ? overConcurrency : otherFailure) : 0,
    ErrCodeExt: failure?.code ?? '',
    Message: failure?.message ?? (status === 'succeeded' ? 'SUCCESS' : ''),
    Progress: isOver ? 100 : status === 'processing' ? 50 : 0,
    Input: details.input,
    Output: status === 'succeeded' ? renderOutput(task, details, host, origin) : null,
    SessionId: task.dedupHandle ?? '',
    SessionContext: details.sessionContext,
  };
}

function renderOutput(
  task: SimulatedTask,
  details: TaskDetails,
  host: SimulatorHost,
  origin: string,
): WireObject {
  return {
    FileInfos: [
      {
        StorageMode: 'Temporary',
        MediaName: '',
        ClassId: 0,
        ExpireTime: iso((task.endsAt ?? task.createdAt) + linkLifetimeMs),
        FileType: 'mp4',
        FileUrl: host.filmUrl(task, 'plain', origin),
        FileId: '',
        MetaData: {
          Duration: details.durationSeconds,
          VideoDuration: details.durationSeconds,
          Container: 'mov,mp4,m4a,3gp,3g2,mj2',
        },
      },
    ],
    ProcedureTaskIds: [],
    Usage: {
      InputTokens: 0,
      ThoughtTokens: 0,
      InputImageCount: 0,
      InputSeconds: 0,
      OutputSeconds: details.seconds,
      TotalSeconds: details.seconds,
    },
  };
}

/** One line of DescribeTasks. */
export function renderSummary(task: SimulatedTask, status: SimulatedStatus): Json {
  return {
    TaskId: task.taskId,
    Status: words[status],
    FileId: '',
    TaskType: 'AigcVideoTask',
    ...timesOf(task, status),
    SessionId: task.dedupHandle ?? '',
    SessionContext: detailsOf(task).sessionContext,
  };
}

function timesOf(task: SimulatedTask, status: SimulatedStatus): WireObject {
  const isOver = status === 'succeeded' || status === 'failed';
  return {
    CreateTime: iso(task.createdAt),
    BeginProcessTime: status === 'submitted' ? '' : iso(task.processingAt),
    FinishTime: isOver ? iso(task.endsAt ?? task.processingAt) : '',
  };
}

function detailsOf(task: SimulatedTask): TaskDetails {
  return task.details as unknown as TaskDetails;
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}
