/** Carries what the oracle reports in an exploration to the question whether anything is broken. */
import type { Complaint } from '../explore/finding.ts';
import { findingWords, explain } from '../oracle/violation.ts';
import type { Report } from '../oracle/violation.ts';
import type { Machine } from '../shared/layout.ts';

/** Keeps the first report of an execution. */
export class FindingSlot {
  private first: Complaint | null = null;
  private readonly machine: Machine;

  constructor(machine: Machine) {
    this.machine = machine;
  }

  /** Forgets: a new execution begins. */
  clear(): void {
    this.first = null;
  }

  /** For createOracle and the table invariants. */
  readonly report: Report = (actor, violation, wordA, wordB) => {
    if (this.first !== null) return;
    const { invariant, what } = explain(violation);
    const words = findingWords(this.machine, { actor, violation, wordA, wordB });
    this.first = { invariant, message: `${invariant}: ${what} (${words.join(', ')})`, words };
  };

  /** The complaint, if there is one. */
  get(): Complaint | null {
    return this.first;
  }
}
