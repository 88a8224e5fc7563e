/** DescribeAigcFaceInfo: every film has one face, from its start on, unless its address says `no-face`. */
import { randomBytes } from 'node:crypto';
import type { SimulatedTask, SimulatorHost } from '../kit/simulator.ts';
import { upstream } from './simulator-accept.ts';
import type { Asker } from './simulator-accept.ts';
import { Refusal } from './simulator-errors.ts';
import { illegal, list, onlyKnown, url } from './simulator-fields.ts';
import { faceEndMs, faceId, newSession } from './simulator-scene.ts';
import type { WireObject } from './wire.ts';

const pictureName = 'face-0.png';
const side = 320;

export function findFaces(parameters: WireObject, asker: Asker, host: SimulatorHost): object {
  onlyKnown(parameters, ['SubAppId', 'FileInfos']);
  const files = list(parameters, 'FileInfos');
  if (files.length !== 1) throw illegal('FileInfos', 'must have exactly one entry');
  const [file] = files as [WireObject];
  onlyKnown(file, ['Type', 'FileId', 'Url'], 'FileInfos.0.');
  if (file['Type'] === 'File')
    throw new Refusal('ResourceNotFound', 'FileInfos.0.FileId: the file does not exist');
  if (file['Type'] !== 'Url') throw illegal('FileInfos.0.Type', 'must be one of File, Url');
  const address = url(file['Url'], 'FileInfos.0.Url');
  const found = address.includes('no-face')
    ? []
    : [
        {
          FaceId: faceId,
          FaceImage: pictureLink(address, asker, host),
          StartTime: 0,
          EndTime: faceEndMs,
        },
      ];
  return { FaceInfoSet: [{ SessionId: newSession(host.now()), FaceInfoList: found }] };
}

/** The sandbox draws for tasks only. This one is over before it begins, and on no list of the account's. */
function pictureLink(address: string, { account, origin }: Asker, host: SimulatorHost): string {
  const now = host.now();
  const task: SimulatedTask = {
    upstream,
    taskId: `face-${randomBytes(16).toString('hex')}`,
    account: `faces of ${account}`,
    dedupHandle: null,
    path: 'DescribeAigcFaceInfo',
    pack: 'faces',
    slots: 0,
    createdAt: now,
    processingAt: now,
    endsAt: now,
    fate: { end: 'succeeded' },
    callbackUrl: null,
    origin,
    details: null,
    film: null,
    files: [
      {
        kind: 'image',
        name: pictureName,
        size: { width: side, height: side },
        prompt: `face of ${address}`,
        title: 'DescribeAigcFaceInfo',
        source: null,
        watermark: false,
      },
    ],
  };
  host.addTask(task);
  return host.fileUrl(task, pictureName, origin);
}
