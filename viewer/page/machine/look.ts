/** How pictures of the machine read it: tables by their declared names, and what just changed. */
import type { ImageTable } from '../../../src/report/image.ts';
import { h } from '../dom.ts';
import type { Memory } from '../memory.ts';

/** A table whose words can be read by field and indices. */
export class Reader {
  readonly counts: readonly number[];
  private readonly table: ImageTable;
  private readonly memory: Memory;

  constructor(memory: Memory, table: ImageTable) {
    this.memory = memory;
    this.table = table;
    this.counts = table.counts;
  }

  /** The word of a field. @param indices - outermost first. */
  word(field: string, ...indices: readonly number[]): number {
    const { table } = this;
    const record = indices.reduce((at, index, i) => at * (table.counts[i] ?? 1) + index, 0);
    return table.from + record * table.stride + table.fields.indexOf(field);
  }

  get(field: string, ...indices: readonly number[]): number {
    return this.memory.words[this.word(field, ...indices)] ?? 0;
  }
}

export class Look {
  readonly memory: Memory;
  /** Words that the selected step changed. */
  readonly changed: ReadonlySet<number>;
  private readonly go: (word: number) => void;

  /** @param go - leads to the last write of a word. */
  constructor(memory: Memory, changed: ReadonlySet<number>, go: (word: number) => void) {
    this.memory = memory;
    this.changed = changed;
    this.go = go;
  }

  /** A table, or null if this machine has none of that name. */
  table(name: string): Reader | null {
    const table = this.memory.table(name);
    return table === undefined ? null : new Reader(this.memory, table);
  }

  /** A table of a name that two have: the one with so many records. */
  tableOf(name: string, records: number): Reader | null {
    const { tables } = this.memory.image;
    const found = tables.find((table) => table.name === name && table.counts[0] === records);
    return found === undefined ? null : new Reader(this.memory, found);
  }

  /** A boot constant; 0 if the machine has none. */
  param(field: string): number {
    return this.table('params')?.get(field) ?? 0;
  }

  /** Did the selected step change one of these words? */
  isChanged(...words: readonly number[]): boolean {
    return words.some((word) => this.changed.has(word));
  }

  /** A value that stands for a word: marked if it changed; a click leads to its last write. */
  value(word: number, text: string, label = ''): HTMLElement {
    const changed = this.changed.has(word);
    return h(
      'span',
      {
        class: changed ? 'value changed' : 'value',
        title: this.memory.name(word),
        click: () => this.go(word),
      },
      label === '' ? null : h('i', {}, label),
      text,
      changed ? h('span', { class: 'tag' }, 'changed') : null,
    );
  }
}

/** A ticket lock in a word: its halves are equal while nobody has it (src/shared/spinlock.ts). */
export function spinlockText(value: number): string {
  return value >>> 16 === (value & 0xffff) ? 'free' : 'held';
}

/** A read-write semaphore in a word (src/shared/rwsem.ts). */
export function rwsemText(value: number): string {
  const readers = value >>> 8;
  const waiting = (value & 0xfe) === 0 ? '' : ', writers wait';
  if ((value & 1) !== 0) return `held for writing${waiting}`;
  return readers === 0 ? `free${waiting}` : `${readers} readers${waiting}`;
}

/** Names of the bits that are set. @param names - by bit mask. */
export function bitNames(value: number, names: Readonly<Record<number, string>>): string[] {
  return Object.entries(names).flatMap(([bit, name]) => ((value & Number(bit)) !== 0 ? name : []));
}
