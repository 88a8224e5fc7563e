import { GatewayError } from '../../core/errors.ts';

/**
 * Where an operator's channel leads, without trailing slashes. Private addresses are allowed: an operator may well run
 * the upstream beside us. Throws `invalid_value`.
 */
export function readBaseUrl(text: string | null): string | null {
  if (text === null) return null;
  const url = URL.parse(text.trim());
  if (url === null || (url.protocol !== 'https:' && url.protocol !== 'http:')) {
    throw refusal("must be an http or https URL like 'https://api.example.com'");
  }
  if (url.username !== '' || url.password !== '') {
    throw refusal("must hold no user name or password: those belong into 'credential'");
  }
  if (/[?#]/.test(text)) throw refusal('must hold neither query nor fragment');
  return url.href.replace(/\/+$/, '');
}

function refusal(reason: string): GatewayError {
  return new GatewayError('invalid_value', `'base_url' ${reason}.`, { param: 'base_url' });
}
