/** One call of a VOD action: address, signature, envelope. */
import type { Channel, Json } from '../../core/ports.ts';
import { UpstreamError } from '../../core/errors.ts';
import { JsonError, parseJson, writeJson } from '../../lib/json.ts';
import { authorizationOf } from './auth.ts';
import { parseCredential } from './credential.ts';
import type { VodCredential } from './credential.ts';
import { foreignAnswer, vodError } from './errors.ts';
import { isObject } from './wire.ts';
import type { WireObject } from './wire.ts';

/** The mainland site; the international one is another platform with other accounts. */
export const baseUrlDefault = 'https://vod.tencentcloudapi.com';
const baseUrlInternational = 'https://vod.intl.tencentcloudapi.com';

const version = '2018-07-17';
const contentType = 'application/json';

/** Queries are answered in well under a second; a create may upload ten megabytes, a look at faces reads a film. */
const timeoutsMs = {
  CreateAigcVideoTask: 60_000,
  CreateAigcImageTask: 60_000,
  CreateAigcCustomVoice: 60_000,
  CreateAigcAdvancedCustomElement: 60_000,
  DeleteAigcAdvancedCustomElement: 20_000,
  DescribeAigcFaceInfo: 60_000,
  DescribeTaskDetail: 20_000,
  DescribeTasks: 20_000,
} as const;

export type VodAction = keyof typeof timeoutsMs;

/** The whole request may have this size, base64 included (official documentation of FileInfos.Base64). */
export const bodyBytesMax = 10 * 1024 * 1024;

/** Answers `Response`; throws UpstreamError for everything else. `SubAppId` is added here. */
export async function call(
  action: VodAction,
  parameters: WireObject,
  channel: Channel,
  signal: AbortSignal,
): Promise<WireObject> {
  const credential = credentialOf(channel);
  const body = writeJson({ SubAppId: credential.sub_app_id, ...parameters });
  if (Buffer.byteLength(body) > bodyBytesMax) {
    throw new UpstreamError('rejected', 'The request is larger than the 10 MB the upstream takes.');
  }
  const url = `${baseUrlOf(channel, credential)}/`;
  const timestampSeconds = Math.floor(channel.clock.now() / 1000);
  const response = await channel.http.request({
    method: 'POST',
    url,
    headers: {
      'content-type': contentType,
      'x-tc-action': action,
      'x-tc-version': version,
      'x-tc-timestamp': String(timestampSeconds),
      ...(credential.region === null ? {} : { 'x-tc-region': credential.region }),
      authorization: authorizationOf({
        secretId: credential.secret_id,
        secretKey: credential.secret_key,
        host: URL.parse(url)?.host ?? '',
        contentType,
        body,
        timestampSeconds,
      }),
    },
    body,
    timeoutMs: timeoutsMs[action],
    signal,
  });
  const envelope = readEnvelope(response.text);
  if (!envelope || response.status < 200 || response.status >= 300) throw foreignAnswer(response.status);
  const error = envelope['Error'];
  if (!isObject(error)) return envelope;
  const { Code: code, Message: message } = error;
  throw vodError(
    { code: typeof code === 'string' ? code : '', message: typeof message === 'string' ? message : '' },
    channel,
  );
}

/** A row that was tampered with must not look like a doubt about a task. */
export function credentialOf(channel: Channel): VodCredential {
  try {
    return parseCredential(channel.credential);
  } catch (cause) {
    throw new UpstreamError('channel', 'The channel has no usable credential.', { cause });
  }
}

/** A channel without an address of its own goes to the site its credential is of. */
function baseUrlOf(channel: Channel, credential: VodCredential): string {
  const isDefault = channel.baseUrl === baseUrlDefault;
  return isDefault && credential.site === 'intl' ? baseUrlInternational : channel.baseUrl;
}

function readEnvelope(text: string): WireObject | null {
  let body: Json;
  try {
    body = parseJson(text);
  } catch (error) {
    if (error instanceof JsonError) return null;
    throw error;
  }
  const response = isObject(body) ? body['Response'] : undefined;
  return isObject(response) ? response : null;
}
