import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import type { Warning } from '../../core/errors.ts';

/** `x-reelay-warnings`: the codes, each once; no header when there is nothing to say. */
export function setWarnings(reply: FastifyReply, warnings: readonly Warning[]): void {
  if (warnings.length === 0) return;
  reply.header('x-reelay-warnings', [...new Set(warnings.map((warning) => warning.code))].join(', '));
}

/** A warning as it stands in a dry run and in a task's metadata. */
export const warningSchema = z.object({
  code: z.string(),
  field: z.string().nullable(),
  message: z.string(),
});
