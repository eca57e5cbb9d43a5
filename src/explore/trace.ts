/**
 * Traces: every operation of one execution with its value, and a digest of them all. Two runs of
 * a seed agree if their digests do, in fibers, in lockstep, on any machine.
 */
import type { Column } from './columns.ts';
import { grown } from './columns.ts';
import type { Fibers } from './fibers.ts';
import type { Strategy } from './strategy.ts';

/** One step: who did what to which word, with which result. */
export interface Step {
  /** Actor by index, or a flush: number of actors plus buffer. */
  readonly process: number;
  /** Kind of the operation; of the store, for a flush. */
  readonly kind: number;
  readonly word: number;
  /** Result of the operation; for a flush the value that reached memory. */
  readonly value: number;
}

/** Columns of a trace; a step is a row. */
export class Trace {
  length = 0;
  private process: Column = new Int32Array(256);
  private kind: Column = new Int32Array(256);
  private word: Column = new Int32Array(256);
  private value: Column = new Int32Array(256);

  clear(): void {
    this.length = 0;
  }

  add(process: number, kind: number, word: number, value: number): void {
    const i = this.length++;
    if (i === this.process.length) {
      this.process = grown(this.process);
      this.kind = grown(this.kind);
      this.word = grown(this.word);
      this.value = grown(this.value);
    }
    this.process[i] = process;
    this.kind[i] = kind;
    this.word[i] = word;
    this.value[i] = value;
  }

  step(i: number): Step {
    const { process, kind, word, value } = this;
    return { process: process[i], kind: kind[i], word: word[i], value: value[i] };
  }

  /** All steps as one row of numbers: process, kind, word, value, process, … */
  flat(): number[] {
    const all: number[] = [];
    for (let i = 0; i < this.length; i++) {
      all.push(this.process[i], this.kind[i], this.word[i], this.value[i]);
    }
    return all;
  }

  /** 64 bits over all operations and values, as hexadecimal digits. */
  digest(): string {
    let low = 0x811c9dc5;
    let high = 0x9e3779b9;
    const mix = (value: number): void => {
      low = Math.imul(low ^ value, 0x01000193);
      low ^= low >>> 15;
      high = Math.imul(high ^ low, 0x85ebca6b);
      high ^= high >>> 13;
    };
    for (let i = 0; i < this.length; i++) {
      mix(this.process[i]);
      mix(this.kind[i]);
      mix(this.word[i]);
      mix(this.value[i]);
    }
    return hex(high) + hex(low);
  }
}

function hex(bits: number): string {
  return (bits >>> 0).toString(16).padStart(8, '0');
}

/** A strategy that does what another does and writes down every step. */
export class Recording implements Strategy {
  readonly trace = new Trace();
  private readonly inner: Strategy;
  constructor(inner: Strategy) {
    this.inner = inner;
  }
  get name(): string {
    return this.inner.name;
  }
  get exhaustive(): boolean {
    return this.inner.exhaustive;
  }
  start(fibers: Fibers): boolean {
    this.trace.clear();
    return this.inner.start(fibers);
  }
  pick(fibers: Fibers): number {
    return this.inner.pick(fibers);
  }
  choose(fibers: Fibers, count: number): number {
    return this.inner.choose(fibers, count);
  }
  performed(fibers: Fibers, process: number): void {
    const { model, pending } = fibers;
    if (process < fibers.count) {
      this.trace.add(process, pending.kind[process], pending.word[process], fibers.result);
    } else {
      this.trace.add(process, model.flushedKind, model.touched, model.after);
    }
    this.inner.performed(fibers, process);
  }
  end(fibers: Fibers): boolean {
    return this.inner.end(fibers);
  }
}
