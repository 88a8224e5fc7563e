/**
 * The interfaces between modules, one file for each edge. Vocabulary, as in CONTRIBUTING.md: *dialect* is how it is asked
 * for, *family* what is sold, *provider* who makes it, *channel* one configured account there, *task* what the caller
 * sees, *attempt* one submission of it to one channel.
 */
export type { Json } from '../lib/json.ts';
export type { Clock } from '../lib/clock.ts';
export type * from './ports/access.ts';
export type * from './ports/catalogue.ts';
export type * from './ports/gateway.ts';
export type * from './ports/admin.ts';
export type * from './ports/provider.ts';
export type * from './ports/retention.ts';
export type * from './ports/rows.ts';
export type * from './ports/secrets.ts';
export type * from './ports/store.ts';
export type * from './ports/media.ts';
export type * from './ports/measures.ts';
export type * from './ports/duties.ts';
