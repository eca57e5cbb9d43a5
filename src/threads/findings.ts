/**
 * The board on which actors' threads write what they find, in shared memory of its own: a thread
 * that dies or hangs has left its findings there. Each different (violation, words) is kept once,
 * with the actor and time of its first sight and the number of sights; when the board is full,
 * further ones are only counted.
 *
 * Writing: 1. the thread looks for its key among its own slots. 2. else it takes the next slot
 * with an atomic add, 3. stores the fields, 4. stores `count`, which makes the slot readable.
 */

/** Different findings that a run keeps. */
export const BOARD_SLOTS = 256;
/** Header: slots taken, and sights that found none. */
const TAKEN = 0;
const LOST_COUNT = 1;
/** Index of the start of the run as a float64: ms since the epoch. */
const STARTED_AT = 1;
const HEADER = 16;
const SLOT_WORDS = 8;
const COUNT = 0;
const ACTOR = 1;
const VIOLATION = 2;
const WORD_A = 3;
const WORD_B = 4;
const AT_MS = 5;

/** What was found, as often as it was. */
export interface BoardEntry {
  readonly actor: number;
  readonly violation: number;
  readonly wordA: number;
  readonly wordB: number;
  /** Milliseconds from the start of the run to the first sight. */
  readonly atMs: number;
  readonly count: number;
}

/** Makes an empty board. */
export function createBoard(): SharedArrayBuffer {
  return new SharedArrayBuffer((HEADER + BOARD_SLOTS * SLOT_WORDS) * 4);
}

/** The run begins now: findings are dated from here. */
export function startBoard(board: SharedArrayBuffer): void {
  new Float64Array(board)[STARTED_AT] = epochMs();
}

function epochMs(): number {
  return performance.timeOrigin + performance.now();
}

/** One thread's way to write on the board. */
export class BoardWriter {
  private readonly words: Int32Array;
  private readonly floats: Float64Array;
  private readonly slots = new Map<string, number>();

  constructor(board: SharedArrayBuffer) {
    this.words = new Int32Array(board);
    this.floats = new Float64Array(board);
  }

  report(actor: number, violation: number, wordA: number, wordB: number): void {
    const key = `${violation} ${wordA} ${wordB}`;
    const known = this.slots.get(key);
    if (known !== undefined) {
      Atomics.add(this.words, known + COUNT, 1);
      return;
    }
    const taken = Atomics.add(this.words, TAKEN, 1);
    if (taken >= BOARD_SLOTS) {
      Atomics.add(this.words, LOST_COUNT, 1);
      return;
    }
    const slot = HEADER + taken * SLOT_WORDS;
    this.slots.set(key, slot);
    this.words[slot + ACTOR] = actor;
    this.words[slot + VIOLATION] = violation;
    this.words[slot + WORD_A] = wordA;
    this.words[slot + WORD_B] = wordB;
    this.words[slot + AT_MS] = epochMs() - (this.floats[STARTED_AT] as number);
    Atomics.store(this.words, slot + COUNT, 1);
  }
}

/** Different findings so far, including those that only were counted; cheap enough to poll. */
export function boardSize(board: SharedArrayBuffer): number {
  return Atomics.load(new Int32Array(board), TAKEN);
}

/** Sights that found no slot. */
export function boardOverflow(board: SharedArrayBuffer): number {
  return Atomics.load(new Int32Array(board), LOST_COUNT);
}

/** All findings, first seen first; the same one of two threads is one, of the first to see it. */
export function readBoard(board: SharedArrayBuffer): BoardEntry[] {
  const words = new Int32Array(board);
  const entries = new Map<string, BoardEntry>();
  const field = (slot: number, offset: number): number => words[slot + offset] as number;
  for (let i = 0; i < Math.min(words[TAKEN] as number, BOARD_SLOTS); i++) {
    const slot = HEADER + i * SLOT_WORDS;
    const count = Atomics.load(words, slot + COUNT);
    if (count === 0) continue;
    const entry: BoardEntry = {
      actor: field(slot, ACTOR),
      violation: field(slot, VIOLATION),
      wordA: field(slot, WORD_A),
      wordB: field(slot, WORD_B),
      atMs: field(slot, AT_MS),
      count,
    };
    const key = `${entry.violation} ${entry.wordA} ${entry.wordB}`;
    const before = entries.get(key);
    entries.set(key, before === undefined ? entry : joined(before, entry));
  }
  return [...entries.values()].sort((a, b) => a.atMs - b.atMs);
}

function joined(a: BoardEntry, b: BoardEntry): BoardEntry {
  const first = a.atMs <= b.atMs ? a : b;
  return { ...first, count: a.count + b.count };
}
