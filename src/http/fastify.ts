import 'fastify';
import type { Principal } from '../core/ports.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Who asks. Set before any dialect's route runs, and only there. */
    principal: Principal;
  }
  interface FastifyContextConfig {
    /** Form fields whose text is decoded when it begins like a JSON object or array. */
    jsonFields?: readonly string[];
  }
}
