/**
 * What decides at every operation of the fibers edition. operations.ts asks it; src/explore
 * implements it with schedulers, strategies and memory models.
 */
import {
  ACQUIRE_WHEN,
  AWAIT_EQUAL,
  AWAIT_NOT_EQUAL,
  CHOOSE,
  CMPXCHG,
  FETCH_ADD,
  FETCH_AND,
  FETCH_OR,
  LOAD_ACQUIRE,
  LOAD_THROUGH,
  LOST,
  READ,
  READ_ONCE,
  STORE_RELEASE,
  STORE_THROUGH,
  WRITE,
  WRITE_ONCE,
  XCHG,
} from './kinds.ts';
import { mem, poke } from './memory.ts';
import type { Observer } from './observer.ts';
import { silent } from './observer.ts';

export interface Engine {
  readonly observer: Observer;
  /** Index of the running actor. */
  readonly actor: number;
  /**
   * The running actor is about to perform an operation.
   * @returns true if the actor must suspend first, because another was chosen or because the
   *   operation is not enabled; when it is resumed, the operation is its to perform.
   */
  begin(kind: number, word: number, a: number, b: number, c: number): boolean;
  /** Performs the operation that was begun. @returns its result (kinds.ts). */
  perform(): number;
}

/** An actor waited for what nobody can bring about while it runs alone. */
export class StuckError extends Error {}

/** Is the operation possible on this memory now? Only waits can be impossible. */
export function isEnabled(kind: number, word: number, a: number, b: number): boolean {
  switch (kind) {
    case AWAIT_EQUAL:
    case ACQUIRE_WHEN:
      return ((mem[word] as number) & a) === b;
    case AWAIT_NOT_EQUAL:
      return ((mem[word] as number) & a) !== b;
    default:
      return true;
  }
}

/** Performs an operation on sequentially consistent memory. @returns its result (kinds.ts). */
export function performOn(kind: number, word: number, a: number, b: number, c: number): number {
  switch (kind) {
    case READ:
    case READ_ONCE:
    case LOAD_ACQUIRE:
    case AWAIT_EQUAL:
    case AWAIT_NOT_EQUAL:
      return mem[word] as number;
    case WRITE:
    case WRITE_ONCE:
    case STORE_RELEASE:
      poke(word, a);
      return 0;
    case CMPXCHG: {
      const before = mem[word] as number;
      if (before === a) poke(word, b);
      return before;
    }
    case XCHG:
      return exchange(word, a);
    case FETCH_ADD:
      return exchange(word, ((mem[word] as number) + a) | 0);
    case FETCH_AND:
      return exchange(word, (mem[word] as number) & a);
    case FETCH_OR:
      return exchange(word, (mem[word] as number) | a);
    case ACQUIRE_WHEN:
      return exchange(word, ((mem[word] as number) + c) | 0);
    case LOAD_THROUGH:
      return mem[b] === c ? (mem[word] as number) : LOST;
    case STORE_THROUGH:
      if (mem[b] !== c) return LOST;
      poke(word, a);
      return 0;
    default:
      return 0;
  }
}

function exchange(word: number, value: number): number {
  const before = mem[word] as number;
  poke(word, value);
  return before;
}

/**
 * The engine of an actor that runs alone: machines are booted and single functions are tested
 * with it. Every choice of data is 0. It keeps the watched part of memory in view like any other.
 */
export class SoloEngine implements Engine {
  readonly observer: Observer;
  readonly actor = 0;
  readonly watchedFrom: number;
  private kind = 0;
  private word = 0;
  private a = 0;
  private b = 0;
  private c = 0;
  constructor(observer: Observer = silent, watchedFrom = Infinity) {
    this.observer = observer;
    this.watchedFrom = watchedFrom;
  }
  begin(kind: number, word: number, a: number, b: number, c: number): boolean {
    if (!isEnabled(kind, word, a, b)) throw new StuckError(`waits for ever at word ${word}`);
    this.kind = kind;
    this.word = word;
    this.a = a;
    this.b = b;
    this.c = c;
    return false;
  }
  perform(): number {
    const { kind, word } = this;
    if (kind === CHOOSE) return 0;
    const before = mem[word] as number;
    const result = performOn(kind, word, this.a, this.b, this.c);
    if (word >= this.watchedFrom) this.observer.access(0, kind, word, before, mem[word] as number);
    return result;
  }
}
