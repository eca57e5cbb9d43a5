/**
 * The thread of one actor in the lockstep edition: it performs an operation when the recorded
 * schedule names it, and keeps the turn until it comes to its next operation, as a fiber does.
 *
 * The baton is shared memory beside the machine's:
 *   header    position, length, end, … (offsets below)
 *   gates     one line an actor: 1 when the turn is its own, then 1 when it has ended
 *   buffers   under TSO, a store buffer for each processor
 *   schedule  process of every step: actors, then flushes of the processors' buffers
 *   choices   the choices of data in their order
 *   log       per step: process, kind, word, result
 *
 * Passing the turn: 1. the holder logs its step and stores `position`. 2. it performs the flushes
 * that come next. 3. it stores 1 to the gate of the actor named next and notifies it.
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
  LOAD_THROUGH,
  LOST,
  SMP_MB,
  SMP_RMB,
  SMP_WMB,
  STORE_RELEASE,
  STORE_THROUGH,
  RELAX,
  WRITE,
  WRITE_ONCE,
  XCHG,
} from './kinds.ts';
import { mem } from './memory.ts';
import type { Observer } from './observer.ts';
import { silent } from './observer.ts';

/** Header: the next step to perform. */
export const POSITION = 0;
/** Header: steps of the schedule. */
export const LENGTH = 1;
/** Header: why the run is over, END_*. */
export const END = 2;
/** Header: choices taken. */
export const CHOSEN = 3;
/** Header: 1 if stores go through buffers. */
export const BUFFERED = 4;
/** Header: actors of the run. */
export const ACTORS = 5;
/** Header: the actor that may run to its first operation. */
export const LAUNCHED = 6;
/** Header: length of the list of choices. */
export const CHOICES = 7;
export const HEADER_WORDS = 16;

export const END_NOT_YET = 0;
/** All steps of the schedule were performed. */
export const END_COMPLETE = 1;
/** The schedule named an actor whose operation was not possible. */
export const END_NOT_ENABLED = 2;
/** The schedule named an actor that had ended, or more choices than there are. */
export const END_NOBODY = 3;
/** The starter gave up. */
export const END_STOPPED = 4;

const GATE_WORDS = 16;
const CAPACITY = 64;
/** flushed, inserted, then word, value and kind of each store. */
const BUFFER_WORDS = 2 + CAPACITY * 3;
/** process, kind, word, result. */
export const LOG_WORDS = 4;
const SPINS = 2000;
const WAIT_MS = 1000;

/** Where the parts of a baton lie. */
export interface BatonPlan {
  readonly buffers: number;
  readonly schedule: number;
  readonly choices: number;
  readonly log: number;
  readonly words: number;
}

/** Lays out a baton. @param actors - count. @param steps - of the schedule. */
export function planBaton(actors: number, steps: number, choices: number): BatonPlan {
  const buffers = HEADER_WORDS + actors * GATE_WORDS;
  const schedule = buffers + actors * BUFFER_WORDS;
  const choicesAt = schedule + steps;
  const log = choicesAt + choices;
  return { buffers, schedule, choices: choicesAt, log, words: log + steps * LOG_WORDS };
}

/** Thrown out of an operation when the run is over. */
export class RunOver extends Error {}

let baton: Int32Array = new Int32Array(HEADER_WORDS);
let plan: BatonPlan = planBaton(0, 0, 0);
let self = 0;
let processor = 0;
let actors = 0;
let length = 0;
let buffered = false;
let holding = false;
export let observer: Observer = silent;
export let index = 0;

/** Which actor a thread is, in which run. */
export interface LockstepActor {
  readonly baton: Int32Array;
  readonly index: number;
  /** The processor: index of the actor whose store buffer this one shares. */
  readonly processor: number;
  readonly observer: Observer;
}

/** Makes this thread an actor and lets it run to its first operation in its turn. */
export function enterRun(actor: LockstepActor): void {
  ({ baton, index: self, processor, observer } = actor);
  index = self;
  actors = baton[ACTORS] as number;
  length = baton[LENGTH] as number;
  buffered = baton[BUFFERED] === 1;
  plan = planBaton(actors, length, baton[CHOICES] as number);
  holding = false;
  waitFor(LAUNCHED, self);
}

/** The actor's program has ended: passes on what it holds. */
export function leaveRun(): void {
  Atomics.store(baton, gateOf(self) + 1, 1);
  if (launching()) launchNext();
  if (holding) passTurn();
}

function launching(): boolean {
  return Atomics.load(baton, LAUNCHED) === self;
}

/** The next actor may run to its first operation; after the last one, the first step is due. */
function launchNext(): void {
  Atomics.store(baton, LAUNCHED, self + 1);
  Atomics.notify(baton, LAUNCHED);
  if (self === actors - 1) openGate();
}

function waitFor(word: number, value: number): void {
  for (let spins = 0; ; spins++) {
    const now = Atomics.load(baton, word);
    if (now === value) return;
    if (Atomics.load(baton, END) !== END_NOT_YET) throw new RunOver();
    if (spins >= SPINS) Atomics.wait(baton, word, now, WAIT_MS);
  }
}

/** Ends the run for everybody. */
function endRun(why: number): never {
  end(why);
  throw new RunOver();
}

function end(why: number): void {
  stopRun(baton, why);
}

/** Ends a run, from inside or outside; every thread leaves at its next operation. */
export function stopRun(words: Int32Array, why: number): void {
  Atomics.compareExchange(words, END, END_NOT_YET, why);
  Atomics.notify(words, LAUNCHED);
  for (let i = 0; i < (words[ACTORS] as number); i++) Atomics.notify(words, gateOf(i));
}

function gateOf(actor: number): number {
  return HEADER_WORDS + actor * GATE_WORDS;
}

/** Performs the flushes that come next and gives the turn to the actor named after them. */
function openGate(): void {
  let position = Atomics.load(baton, POSITION);
  while (position < length && (baton[plan.schedule + position] as number) >= actors) {
    flush((baton[plan.schedule + position] as number) - actors, position);
    Atomics.store(baton, POSITION, ++position);
  }
  if (position >= length) {
    end(END_COMPLETE);
    return;
  }
  const gate = gateOf(baton[plan.schedule + position] as number);
  if (Atomics.load(baton, gate + 1) === 1) {
    end(END_NOBODY);
    return;
  }
  Atomics.store(baton, gate, 1);
  Atomics.notify(baton, gate);
}

function passTurn(): void {
  holding = false;
  openGate();
}

/**
 * Performs one operation in this actor's turn.
 * @returns its result (kinds.ts).
 */
export function perform(kind: number, word: number, a: number, b: number, c: number): number {
  if (holding) passTurn();
  else if (launching()) launchNext();
  waitFor(gateOf(self), 1);
  Atomics.store(baton, gateOf(self), 0);
  if (!isEnabled(kind, word, a, b)) endRun(END_NOT_ENABLED);
  const before = word > 0 ? (mem[word] as number) : 0;
  const result = kind === CHOOSE ? nextChoice() : performNow(kind, word, a, b, c);
  const position = Atomics.load(baton, POSITION);
  logStep(position, self, kind, word, result);
  if (word > 0 && !(buffered && isStore(kind)) && result !== LOST) {
    observer.access(self, kind, word, before, mem[word] as number);
  }
  Atomics.store(baton, POSITION, position + 1);
  holding = true;
  return result;
}

function logStep(
  position: number,
  process: number,
  kind: number,
  word: number,
  result: number,
): void {
  const at = plan.log + position * LOG_WORDS;
  baton[at] = process;
  baton[at + 1] = kind;
  baton[at + 2] = word;
  baton[at + 3] = result;
}

function nextChoice(): number {
  const taken = Atomics.add(baton, CHOSEN, 1);
  if (taken >= (baton[CHOICES] as number)) endRun(END_NOBODY);
  return baton[plan.choices + taken] as number;
}

function isStore(kind: number): boolean {
  return kind === WRITE || kind === WRITE_ONCE || kind === STORE_RELEASE || kind === STORE_THROUGH;
}

function isEnabled(kind: number, word: number, a: number, b: number): boolean {
  switch (kind) {
    case AWAIT_EQUAL:
    case ACQUIRE_WHEN:
      return (load(word) & a) === b;
    case AWAIT_NOT_EQUAL:
      return (load(word) & a) !== b;
    default:
      return true;
  }
}

/** A load as this processor sees it: its own youngest buffered store first. */
function load(word: number): number {
  if (buffered) {
    const at = bufferOf(processor);
    const flushed = baton[at] as number;
    for (let i = (baton[at + 1] as number) - 1; i >= flushed; i--) {
      const slot = slotOf(at, i);
      if (baton[slot] === word) return baton[slot + 1] as number;
    }
  }
  return Atomics.load(mem, word);
}

function bufferOf(cpu: number): number {
  return plan.buffers + cpu * BUFFER_WORDS;
}

function slotOf(buffer: number, i: number): number {
  return buffer + 2 + (i % CAPACITY) * 3;
}

function store(kind: number, word: number, value: number): void {
  if (!buffered) {
    Atomics.store(mem, word, value);
    return;
  }
  const at = bufferOf(processor);
  const inserted = baton[at + 1] as number;
  const slot = slotOf(at, inserted);
  baton[slot] = word;
  baton[slot + 1] = value;
  baton[slot + 2] = kind;
  baton[at + 1] = inserted + 1;
}

/** Lets the oldest store of a processor reach memory. */
function flush(cpu: number, position: number): void {
  const at = bufferOf(cpu);
  const flushed = baton[at] as number;
  if (flushed === baton[at + 1]) {
    end(END_NOT_ENABLED);
    return;
  }
  const slot = slotOf(at, flushed);
  const word = baton[slot] as number;
  const value = baton[slot + 1] as number;
  const kind = baton[slot + 2] as number;
  baton[at] = flushed + 1;
  const before = Atomics.exchange(mem, word, value);
  logStep(position, actors + cpu, kind, word, value);
  observer.access(cpu, kind, word, before, value);
}

function performNow(kind: number, word: number, a: number, b: number, c: number): number {
  switch (kind) {
    case SMP_MB:
    case SMP_WMB:
    case SMP_RMB:
    case RELAX:
      return 0;
    case WRITE:
    case WRITE_ONCE:
    case STORE_RELEASE:
      store(kind, word, a);
      return 0;
    case CMPXCHG:
      return Atomics.compareExchange(mem, word, a, b);
    case XCHG:
      return Atomics.exchange(mem, word, a);
    case FETCH_ADD:
      return Atomics.add(mem, word, a);
    case FETCH_AND:
      return Atomics.and(mem, word, a);
    case FETCH_OR:
      return Atomics.or(mem, word, a);
    case ACQUIRE_WHEN:
      return Atomics.add(mem, word, c);
    case LOAD_THROUGH:
      return load(b) === c ? load(word) : LOST;
    case STORE_THROUGH:
      if (load(b) !== c) return LOST;
      store(kind, word, a);
      return 0;
    default:
      return load(word);
  }
}
