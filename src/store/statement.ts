/**
 * Statements and procedures. A statement is a query that Kysely compiles once per engine; its parameters are bound
 * by name. A procedure is a generator that yields statements and is handed their answers, so that one source runs
 * synchronously on SQLite and asynchronously on an engine behind a socket.
 */
import type { Compilable, Kysely, RootOperationNode } from 'kysely';
import type { PendingJob } from '../core/ports.ts';
import type { Engine } from './engine.ts';
import type { Database } from './schema.ts';

/** Columns whose integers are money and read as bigint; every other integer is read as a number. */
export function isMoney(column: string): boolean {
  return column.endsWith('_micros');
}

/** What can be bound. */
export type Value = string | number | bigint | null;

/** A compiled query: its text and, for every place in it, the name of the argument or a constant. */
export interface CompiledStatement {
  sql: string;
  /** As Kysely built it, for engines that execute it for many callers at once. */
  query: RootOperationNode;
  places: (Place | Value)[];
}

/** Stands for a named argument until the statement is executed. */
export class Place {
  readonly name: string;
  constructor(name: string) {
    this.name = name;
  }
}

/** A query with named arguments `Args` that answers rows of `Row`. */
export interface Statement<Args, Row> {
  compile(engine: Engine): CompiledStatement;
  /** Set where what several callers add to one row may be added at once. */
  readonly sum?: Sum;
  /** Set where a writer may go by the answer it had before until one of these tables is written to. */
  readonly keptUntilWritten?: readonly (keyof Database)[];
  /** Types only. */
  readonly types?: { args: Args; row: Row };
}

/** Which argument names the row, and which columns of the answered row the others were added to. */
export interface Sum {
  key: string;
  /** Argument -> column. */
  amounts: Record<string, string>;
}

/** One step of a procedure: execute this, and answer all rows or the number of changed rows. */
export interface Command {
  statement: Statement<unknown, unknown>;
  args: Record<string, Value>;
  answer: 'rows' | 'count';
}

/** Answers of commands come back through `next`. */
export type Procedure<Result> = Generator<Command, Result, unknown>;

type Named<Args> = <Name extends keyof Args & string>(name: Name) => Args[Name];

/** The arguments of a statement, in the order of its places. */
export function valuesOf(places: (Place | Value)[], args: Record<string, Value>): Value[] {
  const values: Value[] = [];
  for (const place of places) values.push(place instanceof Place ? argument(args, place.name) : place);
  return values;
}

function argument(args: Record<string, Value>, name: string): Value {
  const value = args[name];
  if (value === undefined) throw new TypeError(`the statement's argument "${name}" is missing`);
  return value;
}

/** `statement<{ id: string }>()((db, arg) => db.selectFrom('tasks').where('id', '=', arg('id')).selectAll())` */
export function statement<Args extends object = Record<never, never>>() {
  return <Row>(
    build: (db: Kysely<Database>, arg: Named<Args>, engine: Engine) => Compilable<Row>,
    sum?: Sum,
  ): Statement<Args, Row> => {
    const compiled = new Map<string, CompiledStatement>();
    // Kysely passes values through untouched, so that a placeholder comes out where its value will stand.
    const arg: Named<Args> = (name) => new Place(name) as never;
    return {
      compile(engine) {
        let known = compiled.get(engine.name);
        if (!known) {
          const query = build(engine.builder, arg, engine).compile();
          known = { sql: query.sql, query: query.query, places: [...query.parameters] as (Place | Value)[] };
          compiled.set(engine.name, known);
        }
        return known;
      },
      ...(sum && { sum }),
    };
  };
}

/**
 * A look-up in nearly every change whose answer hardly ever changes. `tables` names all that it reads; its rows are
 * shared, nobody may write to them.
 */
export function keptUntilWritten<Args, Row>(
  tables: readonly (keyof Database)[],
  query: Statement<Args, Row>,
): Statement<Args, Row> {
  return { ...query, keptUntilWritten: tables };
}

/** Statements that differ by which optional filters are given: one per combination, each compiled once. */
export function statementVariants<Args extends object>() {
  return <Row>(
    build: (db: Kysely<Database>, arg: Named<Args>, given: ReadonlySet<string>) => Compilable<Row>,
  ): ((given: string[]) => Statement<Args, Row>) => {
    const variants = new Map<string, Statement<Args, Row>>();
    return (given) => {
      const key = given.join();
      let variant = variants.get(key);
      if (!variant) {
        const names = new Set(given);
        variant = statement<Args>()((db, arg) => build(db, arg, names));
        variants.set(key, variant);
      }
      return variant;
    };
  };
}

/** All rows. */
export function* rows<Args extends object, Row>(query: Statement<Args, Row>, args: Args): Procedure<Row[]> {
  return (yield command(query, args, 'rows')) as Row[];
}

/** The first row, or null. */
export function* first<Args extends object, Row>(
  query: Statement<Args, Row>,
  args: Args,
): Procedure<Row | null> {
  const found = (yield command(query, args, 'rows')) as Row[];
  return found[0] ?? null;
}

/** How many rows were changed. */
export function* change<Args extends object>(query: Statement<Args, unknown>, args: Args): Procedure<number> {
  return (yield command(query, args, 'count')) as number;
}

function command<Args extends object>(
  query: Statement<Args, unknown>,
  args: Args,
  answer: Command['answer'],
): Command {
  return { statement: query, args: args as Record<string, Value>, answer };
}

/** What a mutation may do besides executing statements. */
export interface Tx {
  /** An id that sorts after every earlier one of this writer. */
  newId(prefix: `${string}_`, nowMs: number): string;
  /** Tells listeners of the topic after the commit. */
  notify(topic: string): void;
  /** Hands a job to the engine that keeps jobs, in this transaction; answers its id. Absent where jobs are our rows. */
  enqueue?(job: Omit<PendingJob, 'id'>): string;
}

/** A change: one transaction, plain-data arguments and result. Throws GatewayError to refuse. */
export type Mutation<Args, Result> = (tx: Tx, args: Args) => Procedure<Result>;
