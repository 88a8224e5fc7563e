/** A simulated task in the words of VOD. */
import type { Json } from '../../lib/json.ts';
import { writeJson } from '../../lib/json.ts';
import type { FilePlan, FilmPlan, SimulatedStatus, SimulatedTask, SimulatorHost } from '../kit/simulator.ts';
import type { Session } from './simulator-check.ts';
import { imageName } from './simulator-image.ts';
import { elementPictureName, trialName } from './simulator-things.ts';
import type { WireObject } from './wire.ts';

/** `TaskType` -> the member of DescribeTaskDetail that tells of it. */
const members = {
  AigcVideoTask: 'AigcVideoTask',
  AigcImageTask: 'AigcImageTask',
  CreateAigcCustomVoice: 'CreateAigcCustomVoiceTask',
  CreateAigcAdvancedCustomElement: 'CreateAigcAdvancedCustomElementTask',
} as const;

export type TaskType = keyof typeof members;

/** Of an event: `EventType`, and the member that tells of the task (SDK, EventContent). */
const events: Record<TaskType, [type: string, member: string]> = {
  AigcVideoTask: ['AigcVideoTaskComplete', 'AigcVideoCompleteEvent'],
  AigcImageTask: ['AigcImageTaskComplete', 'AigcImageCompleteEvent'],
  CreateAigcCustomVoice: ['CreateAigcCustomVoiceCompleteEvent', 'CreateAigcCustomVoiceCompleteEvent'],
  CreateAigcAdvancedCustomElement: [
    'CreateAigcAdvancedCustomElementCompleteEvent',
    'CreateAigcAdvancedCustomElementCompleteEvent',
  ],
};

/** What comes out when all goes well. */
export type Result =
  /** `seconds` whole, as they are billed; `durationSeconds` of the file. */
  | { kind: 'film'; seconds: number; durationSeconds: number }
  | { kind: 'images'; count: number }
  | { kind: 'voice'; id: string; name: string }
  | { kind: 'element'; id: string; element: WireObject; pictures: number };

/** A create that was found in order. */
export interface Creation extends Session {
  type: TaskType;
  /** Where switches are looked for. */
  prompt: string;
  /** The first thing the upstream would have to fetch; null when all came inline. */
  reference: string | null;
  /** Sandbox milliseconds. */
  workMs: number;
  film: FilmPlan | null;
  files: FilePlan[];
  /** Echoed as `Input`. */
  input: WireObject;
  result: Result;
}

/** What the simulator keeps of a task beyond what the sandbox knows. */
export type TaskDetails = Pick<Creation, 'type' | 'input' | 'sessionContext' | 'result'>;

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
  const { type } = detailsOf(task);
  const others = Object.values(members).map((member): [string, Json] => [member, null]);
  return {
    TaskType: type,
    ...timesOf(task, status),
    Status: words[status],
    ProcedureTask: null,
    ...Object.fromEntries(others),
    [members[type]]: renderTask(task, status, host, origin),
  };
}

/** The body of the event about a task's end. */
export function renderEvent(
  task: SimulatedTask,
  status: SimulatedStatus,
  host: SimulatorHost,
  origin: string,
): WireObject {
  const [type, member] = events[detailsOf(task).type];
  return { EventType: type, [member]: renderTask(task, status, host, origin) };
}

function renderTask(
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
    Output: status === 'succeeded' ? renderOutput(task, details.result, host, origin) : null,
    SessionId: task.dedupHandle ?? '',
    SessionContext: details.sessionContext,
  };
}

function renderOutput(task: SimulatedTask, result: Result, host: SimulatorHost, origin: string): WireObject {
  const linkTo = (name: string) => host.fileUrl(task, name, origin);
  switch (result.kind) {
    case 'film':
      return renderFilm(task, result, host.filmUrl(task, 'plain', origin));
    case 'images':
      return {
        FileInfos: Array.from({ length: result.count }, (_, index) => ({
          ...temporary(task),
          FileType: 'png',
          FileUrl: linkTo(imageName(index)),
          FileId: '',
          MetaData: null,
        })),
      };
    case 'voice': {
      const info = { voice_name: result.name, trial_url: linkTo(trialName) };
      return { InfoList: [{ VoiceId: result.id, VoiceInfo: writeJson(info) }] };
    }
    case 'element': {
      const pictures = Array.from({ length: result.pictures }, (_, index) =>
        linkTo(elementPictureName(index)),
      );
      const [frontal, ...refers] = pictures;
      const images = {
        frontal_image: frontal ?? null,
        refer_images: refers.map((image_url) => ({ image_url })),
      };
      const info = { ...result.element, ...(frontal ? { element_image_list: images } : {}) };
      return { InfoList: [{ ElementId: result.id, ElementInfo: writeJson(info) }] };
    }
  }
}

function renderFilm(
  task: SimulatedTask,
  { seconds, durationSeconds }: Extract<Result, { kind: 'film' }>,
  address: string,
): WireObject {
  return {
    FileInfos: [
      {
        ...temporary(task),
        FileType: 'mp4',
        FileUrl: address,
        FileId: '',
        MetaData: {
          Duration: durationSeconds,
          VideoDuration: durationSeconds,
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
      OutputSeconds: seconds,
      TotalSeconds: seconds,
    },
  };
}

function temporary(task: SimulatedTask): WireObject {
  return {
    StorageMode: 'Temporary',
    MediaName: '',
    ClassId: 0,
    ExpireTime: iso((task.endsAt ?? task.createdAt) + linkLifetimeMs),
  };
}

/** One line of DescribeTasks. */
export function renderSummary(task: SimulatedTask, status: SimulatedStatus): Json {
  const { type, sessionContext } = detailsOf(task);
  return {
    TaskId: task.taskId,
    Status: words[status],
    FileId: '',
    TaskType: type,
    ...timesOf(task, status),
    SessionId: task.dedupHandle ?? '',
    SessionContext: sessionContext,
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
