/**
 * A litmus test as the interpreter runs it: threads as flat lists of instructions on registers
 * and locations. Both readers (x86.ts, kernel-c.ts) produce it.
 *
 * Values are 32-bit integers. The address of location i is ADDRESS_BASE + i, so that addresses
 * can be stored, loaded and compared like any value.
 */
import type { Proposition } from './condition.ts';

/** Addresses start here; no test computes with numbers this large. */
export const ADDRESS_BASE = 0x60000000;

/** Expressions over registers; they touch no memory. */
export type Expression =
  | { readonly is: 'number'; readonly value: number }
  | { readonly is: 'register'; readonly name: string }
  | { readonly is: 'unary'; readonly operator: string; readonly of: Expression }
  | {
      readonly is: 'binary';
      readonly operator: string;
      readonly left: Expression;
      readonly right: Expression;
    };

/** Atomic updates that the operations offer. */
export type Update = 'xchg' | 'add' | 'and' | 'or' | 'cmpxchg';

export type Instruction =
  | { readonly does: 'set'; readonly register: string; readonly value: Expression }
  | {
      readonly does: 'load';
      readonly register: string;
      readonly how: 'plain' | 'once' | 'acquire';
      readonly at: Expression;
    }
  | {
      readonly does: 'store';
      readonly how: 'plain' | 'once' | 'release';
      readonly at: Expression;
      readonly value: Expression;
    }
  | {
      /** Atomic; `register` takes the value before. */
      readonly does: 'update';
      readonly how: Update;
      readonly register: string;
      readonly at: Expression;
      readonly value: Expression;
      /** What cmpxchg compares with. */
      readonly expected?: Expression;
    }
  | { readonly does: 'fence'; readonly how: 'mb' | 'wmb' | 'rmb' }
  | { readonly does: 'branch'; readonly unless: Expression; readonly to: number }
  | { readonly does: 'jump'; readonly to: number }
  | { readonly does: 'lock' | 'unlock'; readonly at: Expression }
  | { readonly does: 'rcu-lock' | 'rcu-unlock' | 'rcu-synchronize' };

/** How the file quantifies its condition. */
export type Quantifier = 'exists' | '~exists' | 'forall';

/** A place whose final value is of interest. */
export type Place =
  | { readonly of: 'register'; readonly thread: number; readonly name: string }
  | { readonly of: 'location'; readonly name: string };

export interface LitmusTest {
  readonly architecture: 'X86' | 'X86_64' | 'C';
  readonly name: string;
  readonly locations: readonly string[];
  /** Initial values of locations, by index. */
  readonly initial: readonly number[];
  /** Initial values of registers, by thread. */
  readonly registers: readonly ReadonlyMap<string, number>[];
  readonly threads: readonly (readonly Instruction[])[];
  readonly quantifier: Quantifier;
  readonly condition: Proposition;
  /** Executions that do not satisfy it are left out. */
  readonly filter: Proposition | null;
  /** Places that are shown beside those of the condition. */
  readonly shown: readonly Place[];
}

/** A thread's final registers and the final memory, as the condition sees them. */
export interface FinalState {
  valueOf(place: Place): number;
}

/** Prints a place as herd does. */
export function placeName(place: Place): string {
  return place.of === 'register' ? `${place.thread}:${place.name}` : `[${place.name}]`;
}

/** Prints a value: a number, or the name of the location that it is the address of. */
export function valueName(value: number, locations: readonly string[]): string {
  return locations[value - ADDRESS_BASE] ?? String(value);
}
