import { hash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { base62, randomBase62 } from './ids.ts';

const randomLength = 42;
/** 62^6 exceeds 2^32, so a CRC-32 always fits. */
const checksumLength = 6;

/**
 * A caller's API key: `rl-` + 48 characters of base62. The last six are a checksum, so that a typing error or
 * a cut copy is told from a revoked key without asking the store; 42 random ones (250 bits) are the secret.
 */
export function newApiKey(): string {
  const body = `rl-${randomBase62(randomLength)}`;
  return body + checksum(body);
}

/** Whether a text can be one of our API keys at all: form and checksum are right. */
export function isApiKey(text: string): boolean {
  return (
    /^rl-[0-9A-Za-z]{48}$/.test(text) &&
    checksum(text.slice(0, -checksumLength)) === text.slice(-checksumLength)
  );
}

/** What the store keeps: SHA-256 in hex. The key is random, so neither salt nor stretching adds anything. */
export function hashApiKey(key: string): string {
  return hash('sha256', key, 'hex');
}

/** The first 7 and last 4 characters, by which its owner recognises a key. Shorter texts are hidden whole. */
export function apiKeyHint(key: string): string {
  return key.length < 24 ? '…' : `${key.slice(0, 7)}…${key.slice(-4)}`;
}

/** The public half of an AK/SK pair: `ak-` + 24 characters of base62. */
export function newAccessKey(): string {
  return `ak-${randomBase62(24)}`;
}

/** The secret half of an AK/SK pair: 48 characters of base62. */
export function newSecretKey(): string {
  return randomBase62(48);
}

function checksum(text: string): string {
  return base62(crc32(text), checksumLength);
}
