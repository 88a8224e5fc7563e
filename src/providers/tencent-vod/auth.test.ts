import assert from 'node:assert/strict';
import { Agent, createServer } from 'node:http';
import { connect } from 'node:net';
import type { AddressInfo } from 'node:net';
import { describe, test } from 'node:test';
import { vod } from 'tencentcloud-sdk-nodejs-vod';
import { authorizationOf, signatureOf } from './auth.ts';

const Client = vod.v20180717.Client;
const pair = { secretId: 'sandbox-access-key', secretKey: 'sandbox-secret-key-0123456789abcdef' };
const subAppId = 1_500_000_001;

/** The official client, unmodified, led to a server on this machine. */
function officialClient(agent: Agent) {
  return new Client({
    credential: pair,
    region: 'ap-guangzhou',
    profile: { httpProfile: { endpoint: 'vod.tencentcloudapi.com', protocol: 'http://', agent } },
  });
}

/** Leads every host to a port of this machine: the SDK reads the service's name off the host's first word. */
function agentTo(port: number): Agent {
  return Object.assign(new Agent(), { createConnection: () => connect(port, '127.0.0.1') });
}

describe('TC3-HMAC-SHA256', () => {
  test('signs exactly as the official SDK does', async () => {
    const seen: { headers: Record<string, string>; body: string }[] = [];
    const server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        seen.push({
          headers: request.headers as Record<string, string>,
          body: Buffer.concat(chunks).toString('utf8'),
        });
        response.end('{"Response":{"TaskId":"1","RequestId":"2"}}');
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const client = officialClient(agentTo(port));
    const prompts = ['a cat', '雪山之巅,雄鹰盘旋 🦅', '"quotes" \\ and\nlines', ''];
    for (const prompt of prompts) {
      await client.CreateAigcVideoTask({
        SubAppId: subAppId,
        ModelName: 'Kling',
        ModelVersion: '2.5',
        Prompt: prompt,
      });
    }
    await new Promise((resolve) => server.close(resolve));
    assert.equal(seen.length, prompts.length);
    for (const { headers, body } of seen) {
      const ours = authorizationOf({
        ...pair,
        host: headers['host']!,
        contentType: headers['content-type']!,
        body,
        timestampSeconds: Number(headers['x-tc-timestamp']),
      });
      assert.equal(ours, headers['authorization']);
    }
  });

  test('the day of the scope is the one in UTC', () => {
    const input = { ...pair, host: 'vod.tencentcloudapi.com', contentType: 'application/json', body: '{}' };
    const evening = authorizationOf({
      ...input,
      timestampSeconds: Date.UTC(2026, 10, 20, 23, 59, 59) / 1000,
    });
    const morning = authorizationOf({ ...input, timestampSeconds: Date.UTC(2026, 10, 21) / 1000 });
    assert.match(evening, /Credential=sandbox-access-key\/2026-11-20\/vod\/tc3_request,/);
    assert.match(morning, /Credential=sandbox-access-key\/2026-11-21\/vod\/tc3_request,/);
  });

  test('every part of the request changes the signature', () => {
    const input = {
      ...pair,
      host: 'vod.tencentcloudapi.com',
      contentType: 'application/json',
      body: '{}',
      timestampSeconds: 1_795_000_000,
    };
    const signatures = [
      input,
      { ...input, body: '{ }' },
      { ...input, host: 'vod.intl.tencentcloudapi.com' },
      { ...input, contentType: 'application/json; charset=utf-8' },
      { ...input, secretKey: 'another' },
      { ...input, timestampSeconds: 1_795_000_001 },
    ].map(signatureOf);
    assert.equal(new Set(signatures).size, signatures.length);
  });
});
