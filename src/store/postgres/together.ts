/**
 * Drives many procedures in step: every round takes what each of them wants to execute next, and what several want is one
 * statement over all their arguments. Everything of a round is sent before the first answer is awaited.
 */
import type { Command, Procedure, Sum, Value } from '../statement.ts';
import type { Connection } from './connection.ts';
import { queryOf, resultOf } from './executor.ts';
import { manyForm, type ManyForm } from './many.ts';

/** How a procedure ended. */
export type End = { result: unknown } | { thrown: unknown };

/** Rejects when a statement failed: the transaction is lost with it, and nobody knows by whose fault. */
export async function driveTogether(
  connection: Connection,
  procedures: Procedure<unknown>[],
): Promise<End[]> {
  const ends: End[] = [];
  let active = procedures.map((_, index) => index);
  let answers: unknown[] = active.map(() => undefined);
  while (active.length > 0) {
    const commands: Command[] = [];
    const going: number[] = [];
    active.forEach((index, at) => {
      try {
        const step = procedures[index]!.next(answers[at] as never);
        if (step.done) {
          ends[index] = { result: step.value };
          return;
        }
        // A missing argument is the fault of this caller alone.
        queryOf(step.value);
        commands.push(step.value);
        going.push(index);
      } catch (thrown) {
        ends[index] = { thrown };
      }
    });
    active = going;
    answers = commands.length > 0 ? await executeRound(connection, commands) : [];
  }
  return ends;
}

/** Commands of one round that are the same statement. */
interface Group {
  statement: Command['statement'];
  /** Numbers of the commands in the round. */
  members: number[];
}

async function executeRound(connection: Connection, commands: Command[]): Promise<unknown[]> {
  const answers: unknown[] = [];
  const sent: Promise<void>[] = [];
  for (const { statement, members } of groupsOf(commands)) {
    const group = members.map((index) => commands[index]!);
    const answer: Answering = (at, value) => {
      answers[members[at]!] = value;
    };
    const form = group.length > 1 ? await manyForm(connection, statement) : null;
    if (form === null) group.forEach((_, at) => sent.push(single(connection, group, at, answer)));
    else if (form.isRead) sent.push(asked(connection, form, group, answer));
    else if (statement.sum) sent.push(summed(connection, form, statement.sum, group, answer));
    else sent.push(...changed(connection, form, group, answer));
  }
  await allOf(sent);
  return answers;
}

function groupsOf(commands: Command[]): Group[] {
  const groups = new Map<Command['statement'], Group>();
  commands.forEach(({ statement }, index) => {
    const group = groups.get(statement);
    if (group) group.members.push(index);
    else groups.set(statement, { statement, members: [index] });
  });
  return [...groups.values()];
}

/** Takes the answer to the command of that number in its group. */
type Answering = (at: number, value: unknown) => void;

async function single(
  connection: Connection,
  group: Command[],
  at: number,
  answer: Answering,
): Promise<void> {
  const command = group[at]!;
  answer(at, resultOf(command, await connection.execute(queryOf(command))));
}

/** One statement for those of a group, which are about different rows. */
async function together(
  connection: Connection,
  form: ManyForm,
  group: Command[],
  numbers: number[],
  answer: Answering,
): Promise<void> {
  if (numbers.length === 0) return;
  if (numbers.length === 1) {
    await single(connection, group, numbers[0]!, answer);
    return;
  }
  const some = numbers.map((at) => group[at]!);
  const args = some.map((command) => command.args);
  const result = await connection.execute(form.queryFor(args));
  const wanted = some.map((command) => command.answer);
  form.answersFrom(result, args, wanted).forEach((value, index) => answer(numbers[index]!, value));
}

/** The same question has the same answer: it is asked once. */
async function asked(
  connection: Connection,
  form: ManyForm,
  group: Command[],
  answer: Answering,
): Promise<void> {
  const askers = new Map<string, number[]>();
  group.forEach((command, at) => {
    const question = Object.values(command.args).join('\n');
    const known = askers.get(question);
    if (known) known.push(at);
    else askers.set(question, [at]);
  });
  const sets = [...askers.values()];
  const firsts = sets.map(([first]) => first!);
  await together(connection, form, group, firsts, (at, value) => {
    for (const asker of sets[firsts.indexOf(at)]!) answer(asker, value);
  });
}

/** Callers that are about the same row as an earlier one follow it, one by one. */
function changed(
  connection: Connection,
  form: ManyForm,
  group: Command[],
  answer: Answering,
): Promise<void>[] {
  const { first, again } = byKey(form.key, group);
  return [
    together(connection, form, group, first, answer),
    ...again.map((at) => single(connection, group, at, answer)),
  ];
}

/**
 * Amounts that go to the same row are added up first: where the sum fits, each of them does. Where it does not, or where
 * some add and others take away, one follows the other, so that as many fit as can.
 */
async function summed(
  connection: Connection,
  form: ManyForm,
  { key, amounts }: Sum,
  group: Command[],
  answer: Answering,
): Promise<void> {
  const byRow = new Map<Value, number[]>();
  group.forEach(({ args }, at) => {
    const members = byRow.get(args[key]!);
    if (members) members.push(at);
    else byRow.set(args[key]!, [at]);
  });
  const names = Object.keys(amounts);
  const amountOf = (at: number, name: string): bigint => BigInt(group[at]!.args[name]!);
  const oneByOne: number[] = [];
  const sums: { command: Command; members: number[] }[] = [];
  for (const members of byRow.values()) {
    const mixed = names.some(
      (name) =>
        members.some((at) => amountOf(at, name) > 0n) && members.some((at) => amountOf(at, name) < 0n),
    );
    if (mixed) {
      oneByOne.push(...members);
      continue;
    }
    const total = Object.fromEntries(
      names.map((name) => [name, members.reduce((sum, at) => sum + amountOf(at, name), 0n)]),
    );
    const { statement, args } = group[members[0]!]!;
    sums.push({ command: { statement, args: { ...args, ...total }, answer: 'rows' }, members });
  }
  const keyOf = ({ command }: (typeof sums)[number]): string => String(command.args[key]);
  sums.sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
  const commands = sums.map(({ command }) => command);
  const fit = together(
    connection,
    form,
    commands,
    commands.map((_, at) => at),
    (at, value) => {
      const { members } = sums[at]!;
      const [row] = value as Record<string, unknown>[];
      if (!row && members.length > 1) {
        oneByOne.push(...members);
        return;
      }
      // The row is as the last one leaves it; those before find it without what came after them.
      const left = { ...row };
      for (const member of members.toReversed()) {
        answer(member, group[member]!.answer === 'count' ? Number(Boolean(row)) : row ? [{ ...left }] : []);
        for (const [name, column] of Object.entries(amounts)) {
          left[column] = (left[column] as bigint) - amountOf(member, name);
        }
      }
    },
  );
  await fit;
  await allOf(oneByOne.map((at) => single(connection, group, at, answer)));
}

/** Rejects with the first failure in the order of sending: those after it only say that the transaction is lost. */
async function allOf(sent: Promise<void>[]): Promise<void> {
  for (const one of await Promise.allSettled(sent)) if (one.status === 'rejected') throw one.reason;
}

/** In the order of their keys, so that no two transactions wait for each other crosswise. */
function byKey(key: string | null, group: Command[]): { first: number[]; again: number[] } {
  const all = group.map((_, at) => at);
  if (key === null) return { first: all, again: [] };
  const seen = new Set<Value>();
  const first: number[] = [];
  const again: number[] = [];
  for (const at of all) {
    const value = group[at]!.args[key]!;
    (seen.has(value) ? again : first).push(at);
    seen.add(value);
  }
  const keyAt = (at: number): string => String(group[at]!.args[key]);
  first.sort((a, b) => (keyAt(a) < keyAt(b) ? -1 : 1));
  return { first, again };
}
