/**
 * The words of the machine that is attached in this thread. One machine at a time: operations and
 * tables find it here, so that simulated code passes only integers.
 *
 * Fibers write through `poke`, which remembers the chunks it touched: going back to a snapshot
 * then costs as much as was written, not as much as there is.
 */

/** log2 of the words of a chunk of the dirty list. */
const CHUNK_SHIFT = 4;

/** All words of the attached machine. Only operations modules and layout.ts use it directly. */
export let mem: Int32Array = new Int32Array(0);

let dirtyFlags = new Uint8Array(0);
let dirtyChunks = new Int32Array(0);
let dirtyCount = 0;

/** Binds this thread to a machine's words. */
export function bindMemory(words: Int32Array): void {
  mem = words;
  const chunks = (words.length + (1 << CHUNK_SHIFT) - 1) >> CHUNK_SHIFT;
  dirtyFlags = new Uint8Array(chunks);
  dirtyChunks = new Int32Array(chunks);
  dirtyCount = 0;
}

/** Stores a word and remembers that its chunk differs from the snapshot. */
export function poke(word: number, value: number): void {
  const chunk = word >> CHUNK_SHIFT;
  if (dirtyFlags[chunk] === 0) {
    dirtyFlags[chunk] = 1;
    dirtyChunks[dirtyCount++] = chunk;
  }
  mem[word] = value;
}

/**
 * Local accesses so far. An actor that makes one depends on words in a way that the scheduler does
 * not see, so it cannot be run again on the results of its operations alone.
 */
export let localAccesses = 0;

/** Loads a word without the scheduler's knowledge. */
export function peekLocal(word: number): number {
  localAccesses++;
  return mem[word] as number;
}

/** Stores a word without the scheduler's knowledge. */
export function pokeLocal(word: number, value: number): void {
  localAccesses++;
  poke(word, value);
}

/** A copy of all words; from now on `restore` of it costs only what was written since. */
export function snapshot(): Int32Array {
  forgetDirty();
  return mem.slice();
}

/** Brings the words back to `saved`, which must be the last snapshot or equal memory at it. */
export function restore(saved: Int32Array): void {
  for (let i = 0; i < dirtyCount; i++) {
    const chunk = dirtyChunks[i] as number;
    const from = chunk << CHUNK_SHIFT;
    const to = Math.min(from + (1 << CHUNK_SHIFT), mem.length);
    for (let word = from; word < to; word++) mem[word] = saved[word] as number;
    dirtyFlags[chunk] = 0;
  }
  dirtyCount = 0;
}

/**
 * Compares the words with a copy of them that was right at the last snapshot or later, and brings
 * the copy up to date: costs as much as was written since the snapshot.
 * @param see - told of each word that differs, with its value now.
 */
export function catchUp(copy: Int32Array, see: (word: number, value: number) => void): void {
  for (let i = 0; i < dirtyCount; i++) {
    const from = (dirtyChunks[i] as number) << CHUNK_SHIFT;
    const to = Math.min(from + (1 << CHUNK_SHIFT), mem.length);
    for (let word = from; word < to; word++) {
      const value = mem[word] as number;
      if (copy[word] === value) continue;
      copy[word] = value;
      see(word, value);
    }
  }
}

function forgetDirty(): void {
  for (let i = 0; i < dirtyCount; i++) dirtyFlags[dirtyChunks[i] as number] = 0;
  dirtyCount = 0;
}
