/**
 * An S3 store for tests, in memory, with what a media store uses of the API: objects with ranges, listing by pages,
 * multipart uploads. Strict where real ones are: signatures, part sizes, entity tags, order of parts.
 */
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { parseQuery, signatureFault, type Credentials } from './s3-signature.ts';

export interface TestS3 {
  endpoint: string;
  bucket: string;
  credentials: Credentials;
  /** `METHOD target`, with the signature cut out. */
  requests: string[];
  objects: Map<string, StoredObject>;
  /** Multipart uploads neither completed nor given up. */
  uploads: Map<string, Upload>;
  /** Answers the next matching requests with this status; they are not carried out. */
  fail(times: number, status: number, matching?: RegExp): void;
  close(): Promise<void>;
}

export interface StoredObject {
  bytes: Buffer;
  etag: string;
  modifiedAt: number;
  contentType: string;
}

interface Upload {
  key: string;
  contentType: string;
  parts: Map<number, { bytes: Buffer; etag: string }>;
}

export interface TestS3Options {
  /** Keys per page of a listing, at most. */
  pageKeysMax?: number;
  /** Whether the bucket exists from the start. */
  bucketExists?: boolean;
}

const bucket = 'reelay-media';
const partBytesMin = 5 * 1024 * 1024;

class Refusal extends Error {
  readonly status: number;
  readonly code: string;
  constructor(status: number, code: string) {
    super(code);
    this.status = status;
    this.code = code;
  }
}

/** Listens on loopback, with keys of its own. */
export async function startTestS3({
  pageKeysMax = 1000,
  bucketExists = true,
}: TestS3Options = {}): Promise<TestS3> {
  const credentials: Credentials = {
    accessKey: `AK${randomBytes(8).toString('hex')}`,
    secretKey: randomBytes(20).toString('base64'),
    region: 'eu-test-1',
  };
  const objects = new Map<string, StoredObject>();
  const uploads = new Map<string, Upload>();
  const requests: string[] = [];
  let hasBucket = bucketExists;
  let faults: { times: number; status: number; matching: RegExp } | null = null;

  async function carryOut(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const target = request.url!;
    const method = request.method!;
    const line = `${method} ${target.replace(/X-Amz-[A-Za-z]+=[^&]*&?/g, '')}`;
    requests.push(line);
    const content = method === 'PUT' || method === 'POST' ? await buffer(request) : Buffer.alloc(0);
    if (faults !== null && faults.times > 0 && faults.matching.test(line)) {
      faults.times--;
      throw new Refusal(faults.status, 'SlowDown');
    }
    const headers = request.headers as Record<string, string | undefined>;
    const fault = signatureFault({ method, target, headers }, credentials, Date.now());
    if (fault !== null) throw new Refusal(403, fault);
    if (method === 'PUT' && headers['content-length'] === undefined)
      throw new Refusal(411, 'MissingContentLength');

    const [path = '', search = ''] = target.split('?', 2);
    const query = new Map(parseQuery(search));
    const [, inBucket = '', ...segments] = path.split('/');
    if (inBucket !== bucket) throw new Refusal(404, 'NoSuchBucket');
    const key = decodeURIComponent(segments.join('/'));
    if (key === '') return bucketRequest(method, query, response);
    if (!hasBucket) throw new Refusal(404, 'NoSuchBucket');
    const uploadId = query.get('uploadId');
    if (query.has('uploads') && method === 'POST') {
      const id = randomBytes(12).toString('hex');
      uploads.set(id, { key, contentType: headers['content-type'] ?? '', parts: new Map() });
      return xml(
        response,
        `<InitiateMultipartUploadResult><Bucket>${bucket}</Bucket><Key>${key}</Key><UploadId>${id}</UploadId></InitiateMultipartUploadResult>`,
      );
    }
    if (uploadId !== undefined) return uploadRequest(method, key, uploadId, query, content, response);
    return objectRequest(method, key, headers, content, response);
  }

  function bucketRequest(method: string, query: Map<string, string>, response: ServerResponse): void {
    if (method === 'PUT') {
      hasBucket = true;
      response.writeHead(200).end();
      return;
    }
    if (!hasBucket) throw new Refusal(404, 'NoSuchBucket');
    if (method !== 'GET' || query.get('list-type') !== '2') throw new Refusal(501, 'NotImplemented');
    const prefix = query.get('prefix') ?? '';
    const after = query.get('continuation-token') ?? '';
    const most = Math.min(Number(query.get('max-keys') ?? 1000), pageKeysMax);
    const keys = [...objects.keys()].filter((key) => key.startsWith(prefix) && key > after).sort();
    const page = keys.slice(0, most);
    const contents = page.map((key) => {
      const { bytes, etag, modifiedAt } = objects.get(key)!;
      return `<Contents><Key>${key}</Key><LastModified>${new Date(modifiedAt).toISOString()}</LastModified><ETag>&quot;${etag}&quot;</ETag><Size>${bytes.length}</Size><StorageClass>STANDARD</StorageClass></Contents>`;
    });
    const more =
      keys.length > page.length
        ? `<IsTruncated>true</IsTruncated><NextContinuationToken>${page.at(-1)}</NextContinuationToken>`
        : '<IsTruncated>false</IsTruncated>';
    xml(
      response,
      `<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>${bucket}</Name>` +
        `<Prefix>${prefix}</Prefix><KeyCount>${page.length}</KeyCount>${more}${contents.join('')}</ListBucketResult>`,
    );
  }

  function uploadRequest(
    method: string,
    key: string,
    uploadId: string,
    query: Map<string, string>,
    content: Buffer,
    response: ServerResponse,
  ): void {
    const upload = uploads.get(uploadId);
    if (upload?.key !== key) throw new Refusal(404, 'NoSuchUpload');
    if (method === 'PUT') {
      const number = Number(query.get('partNumber'));
      if (!(number >= 1 && number <= 10_000)) throw new Refusal(400, 'InvalidArgument');
      const etag = md5(content);
      upload.parts.set(number, { bytes: content, etag });
      response.writeHead(200, { etag: `"${etag}"` }).end();
    } else if (method === 'DELETE') {
      uploads.delete(uploadId);
      response.writeHead(204).end();
    } else {
      const named = [
        ...content
          .toString()
          .matchAll(/<Part><PartNumber>(\d+)<\/PartNumber><ETag>"?([^<"]+)"?<\/ETag><\/Part>/g),
      ];
      if (named.length === 0) throw new Refusal(400, 'MalformedXML');
      const parts = named.map(([, number, etag], index) => {
        const part = upload.parts.get(Number(number));
        if (part === undefined || part.etag !== etag) throw new Refusal(400, 'InvalidPart');
        if (index > 0 && Number(named[index - 1]![1]) >= Number(number))
          throw new Refusal(400, 'InvalidPartOrder');
        if (index < named.length - 1 && part.bytes.length < partBytesMin)
          throw new Refusal(400, 'EntityTooSmall');
        return part;
      });
      const etag = `${md5(Buffer.concat(parts.map((part) => Buffer.from(part.etag, 'hex'))))}-${parts.length}`;
      keep(key, Buffer.concat(parts.map(({ bytes }) => bytes)), etag, upload.contentType);
      uploads.delete(uploadId);
      xml(
        response,
        `<CompleteMultipartUploadResult><Bucket>${bucket}</Bucket><Key>${key}</Key><ETag>&quot;${etag}&quot;</ETag></CompleteMultipartUploadResult>`,
      );
    }
  }

  function objectRequest(
    method: string,
    key: string,
    headers: Record<string, string | undefined>,
    content: Buffer,
    response: ServerResponse,
  ): void {
    if (method === 'PUT') {
      const etag = md5(content);
      keep(key, content, etag, headers['content-type'] ?? 'binary/octet-stream');
      response.writeHead(200, { etag: `"${etag}"` }).end();
      return;
    }
    if (method === 'DELETE') {
      objects.delete(key);
      response.writeHead(204).end();
      return;
    }
    const object = objects.get(key);
    if (object === undefined) throw new Refusal(404, 'NoSuchKey');
    const common = {
      etag: `"${object.etag}"`,
      'last-modified': new Date(object.modifiedAt).toUTCString(),
      'content-type': object.contentType,
      'accept-ranges': 'bytes',
    };
    const range = /^bytes=(\d+)-(\d*)$/.exec(headers.range ?? '');
    if (range === null) {
      response.writeHead(200, { ...common, 'content-length': object.bytes.length });
      response.end(method === 'HEAD' ? undefined : object.bytes);
      return;
    }
    const start = Number(range[1]);
    if (start >= object.bytes.length) throw new Refusal(416, 'InvalidRange');
    const end = Math.min(range[2] === '' ? Infinity : Number(range[2]), object.bytes.length - 1);
    response.writeHead(206, {
      ...common,
      'content-length': end - start + 1,
      'content-range': `bytes ${start}-${end}/${object.bytes.length}`,
    });
    response.end(object.bytes.subarray(start, end + 1));
  }

  function keep(key: string, bytes: Buffer, etag: string, contentType: string): void {
    objects.set(key, { bytes, etag, modifiedAt: Date.now(), contentType });
  }

  const server = createServer((request, response) => {
    carryOut(request, response).catch((error: unknown) => {
      const { status, code } = error instanceof Refusal ? error : { status: 500, code: String(error) };
      request.resume();
      response.writeHead(status, { 'content-type': 'application/xml' });
      response.end(
        request.method === 'HEAD'
          ? undefined
          : `<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code><Message>${code}</Message></Error>`,
      );
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    bucket,
    credentials,
    requests,
    objects,
    uploads,
    fail(times, status, matching = /./) {
      faults = { times, status, matching };
    },
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

function xml(response: ServerResponse, body: string): void {
  response.writeHead(200, { 'content-type': 'application/xml' });
  response.end(`<?xml version="1.0" encoding="UTF-8"?>\n${body}`);
}

function md5(bytes: Buffer): string {
  return createHash('md5').update(bytes).digest('hex');
}
