/** The look for faces in a film: DescribeAigcFaceInfo, answered at once and billed even when nothing comes of it. */
import type { Channel, Observation } from '../../core/ports.ts';
import type { Media } from '../../core/request/types.ts';
import { UpstreamError } from '../../core/errors.ts';
import { call } from './call.ts';
import { imageAt } from './result.ts';
import { readFaceSets } from './wire.ts';
import type { WireFaceSet } from './wire.ts';

/** Kling's: sessions of faces live so long (official documentation, identify-face). */
const sessionLifetimeMs = 86_400_000;

/** The faces of the film, the session in which they can be named. Null: the upstream opened none. */
export async function findFaces(
  film: Media,
  channel: Channel,
  signal: AbortSignal,
): Promise<WireFaceSet | null> {
  if (film.kind !== 'url') throw new UpstreamError('rejected', 'The film must be given by URL.');
  const parameters = { FileInfos: [{ Type: 'Url', Url: film.url }] };
  return readFaceSets(await call('DescribeAigcFaceInfo', parameters, channel, signal))[0] ?? null;
}

/** In Kling's words; the pictures of the faces are outputs. */
export function observeFaces(set: WireFaceSet | null, nowMs: number): Observation {
  if (!set) throw new UpstreamError('ambiguous', 'The upstream answered without a session.');
  const { sessionId, faces } = set;
  const pictures = faces.flatMap(({ imageUrl }, index) =>
    imageUrl === null ? [] : [{ url: imageUrl, path: `face_data.${index}.face_image` }],
  );
  return {
    status: 'succeeded',
    outputs: pictures.flatMap(({ url, path }, index) => imageAt(url, index, path)),
    cost: { amount: '1', unit: 'call' },
    data: {
      session_id: sessionId,
      face_data: faces.map(({ faceId, startMs, endMs }) => ({
        face_id: faceId,
        face_image: null,
        start_time: startMs,
        end_time: endMs,
      })),
    },
    resources: [
      {
        kind: 'session',
        upstreamId: sessionId,
        name: null,
        paths: ['session_id'],
        data: {},
        expiresAt: nowMs + sessionLifetimeMs,
      },
    ],
  };
}
