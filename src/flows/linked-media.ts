/**
 * Films and sounds that an upstream takes by URL only although we hold their bytes: it is given a signed link to our
 * copy, where it can reach us.
 */
import type { ChannelRow, TaskMaker } from '../core/ports.ts';
import { isFeature, type TaskRequest } from '../core/request/feature.ts';
import type { Media } from '../core/request/types.ts';
import type { FlowContext } from './context.ts';

/** Stands for the link while the bytes are not kept yet: only whether there will be one matters then. */
const LINK_TO_COME = 'https://media.invalid/';

/** The request as this channel is asked: by links where it would refuse the bytes. */
export function asAskedOf(
  ctx: FlowContext,
  row: ChannelRow,
  maker: TaskMaker<TaskRequest>,
  request: TaskRequest,
): TaskRequest {
  if (!hasBytes(request) || maker.missing(request) === null) return request;
  const linked = withLinks(request, (media) => {
    if (media.kind === 'url') return media.url;
    return media.kind === 'stored'
      ? ctx.channels.mediaUrl(row, media.key)
      : ctx.channels.mediaUrl(row, '') && LINK_TO_COME;
  });
  return linked !== null && maker.missing(linked) === null ? linked : request;
}

/** Films and sounds of a request. */
function filmsAndSounds(request: TaskRequest): Media[] {
  if (isFeature(request)) {
    return request.media.filter((use) => use.role !== 'picture').map((use) => use.media);
  }
  return [request.referenceVideo?.media, request.audio].filter((media) => media != null);
}

function hasBytes(request: TaskRequest): boolean {
  return filmsAndSounds(request).some((media) => media.kind !== 'url');
}

/** Null when one of them cannot be linked. */
function withLinks(request: TaskRequest, urlOf: (media: Media) => string | null): TaskRequest | null {
  let complete = true;
  const linked = (media: Media): Media => {
    const url = urlOf(media);
    if (url === null) complete = false;
    return { kind: 'url', url: url ?? '', source: media.source };
  };
  const result: TaskRequest = isFeature(request)
    ? {
        ...request,
        media: request.media.map((use) =>
          use.role === 'picture' ? use : { ...use, media: linked(use.media) },
        ),
      }
    : {
        ...request,
        referenceVideo: request.referenceVideo && {
          ...request.referenceVideo,
          media: linked(request.referenceVideo.media),
        },
        audio: request.audio && linked(request.audio),
      };
  return complete ? result : null;
}
