/** Refusals in the family's words, and the notes that go with a request that was taken otherwise than asked. */
import { GatewayError, type Warning } from '../../core/errors.ts';
import type { VideoDraft } from '../../core/ports.ts';
import type { VideoOperation } from '../../core/request/types.ts';
import type { KlingAlias } from './aliases.ts';
import type { KlingModel } from './models.ts';

/** What is being judged: the draft, what it settled on, and where notes go. */
export interface Case {
  draft: VideoDraft;
  model: KlingModel;
  alias: KlingAlias | null;
  operation: VideoOperation;
  warnings: Warning[];
}

/** The name the caller knows the model by. */
export function nameOf({ alias, model }: Case): string {
  return alias?.id ?? model.id;
}

/** Where a field came from, for `param`; `wire` is its usual name where nobody wrote it. */
export function sourceOf({ draft }: Case, field: string, wire: string): string {
  return draft.sources[field] ?? wire;
}

export function warn({ warnings }: Case, code: string, field: string, message: string): void {
  warnings.push({ code, field, message });
}

/** A value outside what the model can do; the message names what is allowed. */
export function invalid(param: string, message: string): GatewayError {
  return new GatewayError('invalid_value', message, { param });
}

/** A field that this model or operation does not have. */
export function unsupported(param: string, message: string): GatewayError {
  return new GatewayError('unsupported_parameter', message, { param });
}

export function missing(param: string, message: string): GatewayError {
  return new GatewayError('missing_required_parameter', message, { param });
}
