/**
 * A memory model: what an operation means, when it is possible, and which events of its own the
 * memory has (flushes of store buffers). Fibers hold the pending operations; a model performs
 * them. A new model is one file with this interface.
 */

/** The pending operation of every actor, by actor index. */
export interface Pending {
  readonly kind: Int32Array;
  readonly word: Int32Array;
  readonly a: Int32Array;
  readonly b: Int32Array;
  readonly c: Int32Array;
  /** The processor that an actor runs on: interrupts share it with whom they interrupt. */
  readonly cpu: Int32Array;
  /** 1 for an actor that is an interrupt: its wait for the next one empties the buffer. */
  readonly interrupt: Uint8Array;
}

/** The event touches nothing that others can see. */
export const LOCAL = 0;
/** A store goes into the buffer: nobody else sees it yet. It may read a guard. */
export const INSERTS = 1;
/** The event reads a store that is still in its own buffer. */
export const READS_OWN = 2;
/** The event reads `touched` from memory. */
export const READS = 3;
/** The event writes `touched` in memory, and may read it first. */
export const WRITES = 4;

export interface MemoryModel {
  readonly name: string;
  /** Store buffers that have flush events, one a processor; 0 if the model has none. */
  readonly buffers: number;
  /** What the last event did: LOCAL, INSERTS, READS_OWN, READS or WRITES, … */
  effect: number;
  /** … on this word, … */
  touched: number;
  /** … having read this guard too (-1 if none). */
  guard: number;
  /** Number, in its buffer, of the store that the guard was read from; -1: it was in memory. */
  guardOrdinal: number;
  /** The value of `touched` before and after the last event. */
  before: number;
  after: number;
  /** Number, in its buffer, of the store that was inserted, read there or flushed; else -1. */
  ordinal: number;
  /** Kind of the store that the last flush brought to memory. */
  flushedKind: number;
  /** Forgets all buffered stores: a new execution begins. */
  reset(): void;
  /** Can operations of this kind be impossible at times? */
  waits(kind: number): boolean;
  /** Must the processor's buffer be empty before operations of this kind? */
  drains(kind: number, interrupt: boolean): boolean;
  /** Is the actor's pending operation possible now? */
  enabled(actor: number): boolean;
  /** Performs the actor's pending operation. @returns its result. */
  perform(actor: number): number;
  /** Can the buffer's oldest store reach memory now? */
  canFlush(buffer: number): boolean;
  /** Lets the buffer's oldest store reach memory. @returns the actor that stored it. */
  flush(buffer: number): number;
  /** The word of the buffer's oldest store. */
  flushWord(buffer: number): number;
}
