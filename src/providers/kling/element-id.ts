import { UpstreamError } from '../../core/errors.ts';

/** A JSON number beyond 2^53 on the wire: bigint is written bare. Throws UpstreamError `rejected`. */
export function elementId(id: string): bigint {
  if (!/^\d{1,20}$/.test(id)) {
    throw new UpstreamError(
      'rejected',
      `element_list: "${id.slice(0, 40)}" is no element id; ids are decimal numbers.`,
    );
  }
  return BigInt(id);
}
