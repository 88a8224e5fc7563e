import type { FastifyReply } from 'fastify';

/** Tells the answer to a repeat from the first one. */
export function markReplayed(reply: FastifyReply, { replayed }: { replayed?: true }): void {
  if (replayed) reply.header('idempotent-replayed', 'true');
}
