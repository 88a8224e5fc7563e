/**
 * Money movements as pure ledger postings. A posting is a pair of signed entries that sum to zero; balances are the
 * sums of entries. `available` and `held` are the account's books, `revenue` and `funding` the house's.
 */
import type { LedgerBook, LedgerKind } from './ports.ts';

export interface LedgerEntry {
  book: LedgerBook;
  amountMicros: bigint;
}

/** A balanced movement between two books of one account. */
export interface Posting {
  kind: LedgerKind;
  entries: [LedgerEntry, LedgerEntry];
}

/** What one or more postings change in an account's own books. */
export interface WalletChange {
  availableMicros: bigint;
  heldMicros: bigint;
}

/** Reserves the quoted maximum of a task. Nothing to reserve, nothing to post. */
export function holdPostings(amountMicros: bigint): Posting[] {
  refuseNegative(amountMicros, 'a hold');
  return move('hold', 'available', 'held', amountMicros);
}

/** Turns a hold into a charge of at most its amount and gives back the rest. */
export function settlePostings(heldMicros: bigint, chargeMicros: bigint): Posting[] {
  refuseNegative(chargeMicros, 'a charge');
  if (chargeMicros > heldMicros) {
    throw new RangeError(`a charge of ${chargeMicros} micros is above its hold of ${heldMicros} micros`);
  }
  return [...move('settle', 'held', 'revenue', chargeMicros), ...releasePostings(heldMicros - chargeMicros)];
}

/** Gives back what a hold did not use. */
export function releasePostings(amountMicros: bigint): Posting[] {
  refuseNegative(amountMicros, 'a release');
  return move('release', 'held', 'available', amountMicros);
}

/** Returns money that was settled already. */
export function refundPostings(amountMicros: bigint): Posting[] {
  refuseNegative(amountMicros, 'a refund');
  return move('refund', 'revenue', 'available', amountMicros);
}

/** Money in. */
export function topUpPostings(amountMicros: bigint): Posting[] {
  refuseNegative(amountMicros, 'a top-up');
  return move('top_up', 'funding', 'available', amountMicros);
}

/** A signed correction: below zero takes money back out. */
export function adjustmentPostings(amountMicros: bigint): Posting[] {
  return move('adjustment', 'funding', 'available', amountMicros);
}

/**
 * Moves nothing and stands in the ledger all the same: what an operator did to a task where no money was at stake. Two
 * entries of zero, as balanced as any.
 */
export function emptyPosting(kind: 'hold' | 'release'): Posting {
  return {
    kind,
    entries: [
      { book: 'available', amountMicros: 0n },
      { book: 'held', amountMicros: 0n },
    ],
  };
}

/** The change of the account's own books; the house's books have no cached balance. */
export function walletChange(postings: Posting[]): WalletChange {
  const change = { availableMicros: 0n, heldMicros: 0n };
  for (const { entries } of postings) {
    for (const { book, amountMicros } of entries) {
      if (book === 'available') change.availableMicros += amountMicros;
      else if (book === 'held') change.heldMicros += amountMicros;
    }
  }
  return change;
}

function move(kind: LedgerKind, from: LedgerBook, to: LedgerBook, amountMicros: bigint): Posting[] {
  if (amountMicros === 0n) return [];
  return [
    {
      kind,
      entries: [
        { book: from, amountMicros: -amountMicros },
        { book: to, amountMicros },
      ],
    },
  ];
}

function refuseNegative(amountMicros: bigint, what: string): void {
  if (amountMicros < 0n) throw new RangeError(`${what} cannot be negative (${amountMicros} micros)`);
}
