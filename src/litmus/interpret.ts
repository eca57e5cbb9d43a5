/**
 * Runs the threads of a litmus test as actors: an interpreter of instructions over the operations
 * on shared memory.
 *
 * RCU: a reader's word is odd inside its outermost critical section. synchronize_rcu() is a full
 * barrier, waits for each reader that is inside to change its word, and is a full barrier again.
 * Entering is atomic, so that a grace period cannot miss a reader whose store is under way; it
 * thereby orders more under TSO than the kernel promises.
 */
import type { Op } from '../shared/op.ts';
import {
  acquireWhen,
  awaitNotEqual,
  cmpxchg,
  fetchAdd,
  fetchAnd,
  fetchOr,
  loadAcquire,
  read,
  readOnce,
  smpMb,
  smpRmb,
  smpWmb,
  storeRelease,
  write,
  writeOnce,
  xchg,
} from '../shared/operations.ts';
import { defineTable } from '../shared/table.ts';
import type { ExecutionGraph } from './execution-graph.ts';
import { evaluate } from './expression.ts';
import type { Expression, Instruction, LitmusTest } from './litmus-test.ts';
import { ADDRESS_BASE } from './litmus-test.ts';

/** The locations of the test. */
export const Location = defineTable(
  'location[%]',
  ['locations'],
  { value: '[ANY] value, or address' },
  { watched: true },
);
/** One word a thread. */
export const Reader = defineTable('rcu[%]', ['threads'], {
  section: '[THREAD] odd inside an RCU read-side critical section',
});

export const litmusTables = [Location, Reader];

/** A thread used a value as an address that is none. */
export class StrayAddressError extends Error {}

/** The state of one execution that is not in the machine's memory. */
export interface Run {
  readonly test: LitmusTest;
  readonly graph: ExecutionGraph;
  /** Registers, by thread. */
  readonly registers: readonly Map<string, number>[];
  /** Threads that came to their end; one that waits for ever has no final state. */
  ended: number;
}

/** One thread of a test. */
export function* litmusThread(run: Run, thread: number): Op<void> {
  const code = run.test.threads[thread] ?? [];
  const registers = run.registers[thread] as Map<string, number>;
  let depth = 0;
  let at = 0;
  while (at < code.length) {
    const instruction = code[at] as Instruction;
    at++;
    switch (instruction.does) {
      case 'set':
        registers.set(instruction.register, evaluate(instruction.value, registers));
        break;
      case 'jump':
        at = instruction.to;
        break;
      case 'branch':
        if (evaluate(instruction.unless, registers) === 0) at = instruction.to;
        break;
      case 'fence':
        if (instruction.how === 'mb') yield* smpMb();
        else if (instruction.how === 'wmb') yield* smpWmb();
        else yield* smpRmb();
        break;
      case 'rcu-lock':
        if (depth++ === 0) yield* fetchAdd(Reader.section.at(thread), 1);
        break;
      case 'rcu-unlock':
        if (--depth === 0) yield* leaveSection(thread);
        break;
      case 'rcu-synchronize':
        yield* synchronize(run.test.threads.length, thread);
        break;
      default:
        yield* access(run, thread, instruction);
    }
  }
  run.ended++;
}

function* leaveSection(thread: number): Op<void> {
  const word = Reader.section.at(thread);
  yield* storeRelease(word, (yield* readOnce(word)) + 1);
}

function* synchronize(threads: number, self: number): Op<void> {
  yield* smpMb();
  for (let other = 0; other < threads; other++) {
    if (other === self) continue;
    const seen = yield* loadAcquire(Reader.section.at(other));
    if (seen % 2 === 1) yield* awaitNotEqual(Reader.section.at(other), -1, seen);
  }
  yield* smpMb();
}

type Access = Extract<Instruction, { readonly at: Expression }>;

function* access(run: Run, thread: number, instruction: Access): Op<void> {
  const { graph } = run;
  const registers = run.registers[thread] as Map<string, number>;
  const word = wordAt(evaluate(instruction.at, registers), run.test);
  switch (instruction.does) {
    case 'load':
      registers.set(instruction.register, yield* load(instruction.how, word));
      graph.loaded(thread, word);
      break;
    case 'store': {
      const value = evaluate(instruction.value, registers);
      graph.announce(thread, word);
      if (instruction.how === 'plain') yield* write(word, value);
      else if (instruction.how === 'once') yield* writeOnce(word, value);
      else yield* storeRelease(word, value);
      break;
    }
    case 'update':
      yield* update(run, thread, instruction, word);
      break;
    case 'lock':
      yield* acquireWhen(word, -1, 0, 1);
      graph.updated(thread, word);
      break;
    case 'unlock':
      graph.announce(thread, word);
      yield* storeRelease(word, 0);
      break;
  }
}

function* load(how: 'plain' | 'once' | 'acquire', word: number): Op {
  if (how === 'plain') return yield* read(word);
  return how === 'once' ? yield* readOnce(word) : yield* loadAcquire(word);
}

function* update(
  { graph, registers: all }: Run,
  thread: number,
  instruction: Extract<Instruction, { readonly does: 'update' }>,
  word: number,
): Op<void> {
  const registers = all[thread] as Map<string, number>;
  const value = evaluate(instruction.value, registers);
  const expected =
    instruction.expected === undefined ? 0 : evaluate(instruction.expected, registers);
  let before = 0;
  switch (instruction.how) {
    case 'xchg':
      before = yield* xchg(word, value);
      break;
    case 'add':
      before = yield* fetchAdd(word, value);
      break;
    case 'and':
      before = yield* fetchAnd(word, value);
      break;
    case 'or':
      before = yield* fetchOr(word, value);
      break;
    case 'cmpxchg':
      before = yield* cmpxchg(word, expected, value);
      break;
  }
  if (instruction.how === 'cmpxchg' && before !== expected) graph.loaded(thread, word);
  else graph.updated(thread, word);
  registers.set(instruction.register, before);
}

function wordAt(address: number, test: LitmusTest): number {
  const index = address - ADDRESS_BASE;
  if (index < 0 || index >= test.locations.length) {
    throw new StrayAddressError(`${address} is used as an address, but no location is there`);
  }
  return Location.value.at(index);
}
