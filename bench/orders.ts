/** What the main thread of a benchmark asks of the others, and what they answer. */
import type { VariantName } from './lookups.ts';
import type { Shape } from './machine.ts';
import type { Latency, OperationName } from './operations.ts';
import type { Plan } from './sequences.ts';
import type { Entries } from './populate.ts';
import type { Waits } from './waits.ts';

/** What a thread is started with. */
export interface ThreadSetup {
  readonly shape: Shape;
  readonly memory: WebAssembly.Memory;
  /** The vCPU: 0 the writer, 1 … the readers. */
  readonly vcpu: number;
}

/** What a reader does in a run. */
export interface Reading {
  readonly variant: VariantName;
  /** Lookups a call; 1: each is a call of its own. */
  readonly batch: number;
  /** The first chunk of the keys, and how many there are. */
  readonly firstChunk: number;
  readonly chunks: number;
  /** Turns of changes in a hundred operations of the reader itself. */
  readonly changes: number;
}

/** What the main thread asks for. */
export type Order =
  | { readonly do: 'populate'; readonly plan: Plan }
  | { readonly do: 'prepare'; readonly entries: Entries }
  | { readonly do: 'read'; readonly reading: Reading }
  | { readonly do: 'thread-number' }
  | {
      readonly do: 'watch';
      readonly reading: Reading;
      /** Of all vCPUs. */
      readonly threads: readonly (number | null)[];
    }
  | { readonly do: 'write' }
  | {
      /** Holds the last page of what the first reader's vCPU unmaps, until that waits for it. */
      readonly do: 'hold';
      readonly size: number;
    }
  | { readonly do: 'ready-operations' }
  | {
      readonly do: 'operate';
      readonly operation: OperationName;
      readonly size: number;
    }
  | { readonly do: 'time'; readonly readings: readonly Reading[]; readonly ms: number };

/** Operations of a run, and how long they took. */
export interface Operated extends Did {
  /** Nanoseconds. */
  readonly latency: Latency;
}

/** A run of a reader that timed each lookup. */
export interface Watched extends Did {
  readonly waits: Waits;
}

/** What a thread did in a run. */
export interface Did {
  readonly lookups: number;
  readonly turns: number;
  readonly ms: number;
  /** Lookups that had to look again, and compare-and-swaps that failed. */
  readonly retries: number;
  /** Chunks whose sum was wrong, and turns that the kernel refused. */
  readonly wrong: number;
  /** The longest that a chunk took; of a thread that was alone, that a sample took. */
  readonly longestMs: number;
}
