/** Makes bodies fit for the flight recorder: no credential, no inline media, a few KB. */

const keptBytesMax = 4096;

/**
 * Longer runs of base64 characters are inline media or tokens, never words; the longest id we know has 60.
 * The minus and underscore of base64url count, so a JWT's signature goes too.
 */
const longRun = /[A-Za-z0-9+/=_-]{257,}/g;

/** A JWT in three parts, wherever it stands. */
const jwt = /\beyJ[\w-]{8,}\.[\w-]+\.[\w-]+/g;

/** What signs a link: ours in a callback URL, the upstream's in the URL of a file. */
const linkSecret = /([?&](?:signature|sign|sig|token|x-amz-signature|auth_key)=)[^&"'\s\\]+/gi;

/** Takes out the secret of this exchange and anything that looks like a token. */
export function redactText(text: string, secret: string | null): string {
  const withoutLinks = text.replace(linkSecret, '$1[redacted]');
  const withoutSecret =
    secret && secret.length >= 8 ? withoutLinks.replaceAll(secret, '[redacted]') : withoutLinks;
  return withoutSecret.includes('eyJ') ? withoutSecret.replace(jwt, '[redacted]') : withoutSecret;
}

/** As {@link redactText}; long runs of base64 become `…(N characters)`, and the rest is cut to 4 KB. */
export function redactBody(text: string, secret: string | null): string {
  const clean = redactText(text, secret).replace(longRun, (run) => `…(${run.length} characters)`);
  const bytes = Buffer.from(clean);
  if (bytes.length <= keptBytesMax) return clean;
  // A character cut in half at the end becomes a replacement mark.
  const kept = bytes
    .subarray(0, keptBytesMax)
    .toString('utf8')
    .replace(/\uFFFD+$/, '');
  return `${kept}…(${clean.length} characters)`;
}
