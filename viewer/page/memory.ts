/**
 * The machine's words at any step of a race, and their names. Going to a step costs as much as
 * changes lie on the way.
 */
import type { Names } from '../../src/shared/layout.ts';
import { wordName } from '../../src/shared/layout.ts';
import type { Image, ImageTable } from '../../src/report/image.ts';

/** What a step changed. */
export interface Change {
  readonly word: number;
  readonly before: number;
  readonly after: number;
}

export class Memory {
  /** As they are after step `step`; the start, if it is -1. */
  readonly words: Int32Array;
  step = -1;
  readonly image: Image;
  /** Step, word, value before, value after, one after the other. */
  private readonly changes: Int32Array;
  /** By step: where its changes begin. */
  private readonly from: Int32Array;
  private at = 0;
  private readonly byWord = new Map<number, number[]>();
  private readonly tables = new Map<string, ImageTable>();
  private readonly names: Names;
  private readonly known = new Map<number, string>();

  /** @param steps - of the race. */
  constructor(image: Image, steps: number) {
    const { start, changes, size, tables, vcpusPerDomain } = image;
    this.image = image;
    this.words = new Int32Array(size);
    for (let i = 0; i < start.length; i += 2) this.words[start[i] ?? 0] = start[i + 1] ?? 0;
    const count = changes.length / 3;
    this.changes = new Int32Array(count * 4);
    this.from = new Int32Array(steps + 1).fill(count);
    const words = this.words.slice();
    for (let i = count - 1; i >= 0; i--) this.from[changes[i * 3] ?? 0] = i;
    for (let step = steps - 1; step >= 0; step--) {
      this.from[step] = Math.min(this.from[step] ?? 0, this.from[step + 1] ?? 0);
    }
    for (let i = 0; i < count; i++) {
      const step = changes[i * 3] ?? 0;
      const word = changes[i * 3 + 1] ?? 0;
      const value = changes[i * 3 + 2] ?? 0;
      this.changes.set([step, word, words[word] ?? 0, value], i * 4);
      words[word] = value;
      const known = this.byWord.get(word);
      if (known === undefined) this.byWord.set(word, [step]);
      else known.push(step);
    }
    this.names = {
      places: tables.map((table) => ({
        ...table,
        shape: { name: table.name, fieldNames: table.fields },
      })),
      config: { vcpusPerDomain },
    };
    // Two tables may share a printed name (frames with and without page tables): the first wins.
    for (const table of tables)
      if (!this.tables.has(table.name)) this.tables.set(table.name, table);
  }

  /** Brings `words` to what they are after a step. */
  seek(step: number): void {
    const target = this.from[step + 1] ?? 0;
    for (; this.at < target; this.at++) {
      this.words[this.changes[this.at * 4 + 1] ?? 0] = this.changes[this.at * 4 + 3] ?? 0;
    }
    while (this.at > target) {
      this.at--;
      this.words[this.changes[this.at * 4 + 1] ?? 0] = this.changes[this.at * 4 + 2] ?? 0;
    }
    this.step = step;
  }

  /** What a step changed, with what its actor kept for itself on the way to the next one. */
  changesOf(step: number): Change[] {
    const changes: Change[] = [];
    for (let i = this.from[step] ?? 0; i < (this.from[step + 1] ?? 0); i++) {
      const [word = 0, before = 0, after = 0] = this.changes.subarray(i * 4 + 1, i * 4 + 4);
      changes.push({ word, before, after });
    }
    return changes;
  }

  /** The steps that changed a word, in order. */
  writesOf(word: number): readonly number[] {
    return this.byWord.get(word) ?? [];
  }

  /** Words that any step changes. */
  changingWords(): Iterable<number> {
    return this.byWord.keys();
  }

  /** The last step up to `step` that changed a word; -1: it is as it was at the start. */
  lastWrite(word: number, step: number): number {
    return this.writesOf(word).findLast((at) => at <= step) ?? -1;
  }

  /** A table by the name it was declared with. */
  table(name: string): ImageTable | undefined {
    return this.tables.get(name);
  }

  /** The table that a word is in. */
  tableOf(word: number): ImageTable | undefined {
    const table = this.image.tables.findLast(({ from }) => from <= word);
    return table !== undefined && word < table.from + table.words ? table : undefined;
  }

  name(word: number): string {
    const known = this.known.get(word);
    if (known !== undefined) return known;
    const name = wordName(this.names, word);
    this.known.set(word, name);
    return name;
  }
}
