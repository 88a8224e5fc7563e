/** Brings a database to the newest schema. Each migration is a list of statements, built for the engine. */
import type { Compilable } from 'kysely';
import type { Engine } from './engine.ts';
import { migrations } from './migrations/index.ts';
import { change, rows, statement, type Procedure } from './statement.ts';

export interface Migration {
  /** Sorts by number: `0001-first`. */
  name: string;
  up(engine: Engine): Compilable[];
}

const applied = statement()((db) => db.selectFrom('migrations').select('name'));

const record = statement<{ name: string; at: number }>()((db, arg) =>
  db.insertInto('migrations').values({ name: arg('name'), applied_at: arg('at') }),
);

export interface MigrateOptions {
  /** Steps that it takes are somebody else's to run. */
  postpone?: (sql: string) => boolean;
  /** Told what is missing before it is applied, unless the database is new: over many rows that takes its time. */
  onUpgrade?: OnUpgrade | undefined;
}

/** Told the names of migrations. */
export type OnUpgrade = (missing: string[]) => void;

/**
 * Applies what is missing and answers its names. To be driven inside one transaction. Throws when the database was
 * written by a newer program, because an older one would not know what it must not touch.
 */
export function* migrate(
  engine: Engine,
  at: number,
  { postpone = () => false, onUpgrade }: MigrateOptions = {},
): Procedure<string[]> {
  yield* run(
    engine.builder.schema
      .createTable('migrations')
      .ifNotExists()
      .addColumn('name', engine.text, (column) => column.primaryKey())
      .addColumn('applied_at', engine.integer64, (column) => column.notNull()),
  );
  const known = new Set((yield* rows(applied, {})).map((row) => row.name));
  const newer = [...known].filter((name) => !migrations.some((migration) => migration.name === name));
  if (newer.length > 0) {
    throw new Error(
      `The database was written by a newer version of Reelay (${newer.join(', ')}): start that version, ` +
        'or restore a backup made by this one.',
    );
  }
  const missing = migrations.filter((migration) => !known.has(migration.name));
  if (known.size > 0 && missing.length > 0) onUpgrade?.(missing.map(({ name }) => name));
  for (const migration of missing) {
    for (const step of migration.up(engine)) if (!postpone(step.compile().sql)) yield* run(step);
    yield* change(record, { name: migration.name, at });
  }
  return missing.map((migration) => migration.name);
}

function* run(query: Compilable): Procedure<void> {
  yield* change(
    statement()(() => query),
    {},
  );
}
