/**
 * The words of a race as objects: each word that a step touches, and with it the other words of
 * its record, so that a view can draw the whole structure. Every value that a word has is told in
 * words once.
 */
import type { Machine } from '../shared/layout.ts';
import { wordName } from '../shared/layout.ts';
import type { Meaning, NamedWord } from './meaning.ts';
import type { RaceObject } from './race.ts';

/** Words of a record that are shown with one that is touched; larger records are no records. */
const RECORD_WORDS = 32;

/** Collects objects while steps are written down. */
export class Words {
  readonly objects: RaceObject[] = [];
  private readonly known = new Map<number, number>();
  /** By object: the values that were told. */
  private readonly said: Set<number>[] = [];
  private readonly machine: Machine;
  private readonly meaning: Meaning;
  private readonly initial: Int32Array;

  /** @param initial - the words before the first step. */
  constructor(machine: Machine, meaning: Meaning, initial: Int32Array) {
    this.machine = machine;
    this.meaning = meaning;
    this.initial = initial;
  }

  /** Index of the object of a word; -1 for word 0. */
  of(word: number): number {
    if (word === 0) return -1;
    return this.known.get(word) ?? this.add(word);
  }

  private add(word: number): number {
    const { machine, meaning, initial } = this;
    const named = nameOf(machine, word);
    const at = this.objects.length;
    this.known.set(word, at);
    this.said.push(new Set());
    this.objects.push({
      ...named,
      structure: meaning.structure(named),
      lock: meaning.lock(named),
      initial: initial[word] ?? 0,
      values: {},
    });
    this.tell(at, initial[word] ?? 0);
    return at;
  }

  /** An object has this value at some time. */
  tell(at: number, value: number): void {
    const object = this.objects[at];
    const said = this.said[at];
    if (object === undefined || said === undefined || said.has(value)) return;
    said.add(value);
    const key = String(value);
    const text = this.meaning.value(object, value);
    if (text !== null) (object.values as Record<string, string>)[key] = text;
    const count = this.meaning.count(object, value);
    if (count === null) return;
    this.objects[at] = { ...object, counts: { ...object.counts, [key]: count } };
  }

  /** Marks the words that changed outside of steps. @param known - values that steps left. */
  markUnseen(final: Int32Array, known: ReadonlyMap<number, number>): void {
    this.objects.forEach((object, i) => {
      const { word, initial } = object;
      if ((final[word] ?? 0) === (known.get(word) ?? initial)) return;
      this.objects[i] = { ...object, unseen: true };
    });
  }

  /** Adds the other words of the records that were touched. */
  completeRecords(): void {
    const touched = this.objects.map(({ word }) => word);
    for (const word of touched) for (const other of recordOf(this.machine, word)) this.of(other);
  }
}

/** All words of the record that a word is in; itself alone if the record is one word. */
function recordOf(machine: Machine, word: number): number[] {
  const place = placeOf(machine, word);
  if (place === undefined) return [];
  const fields = place.shape.fieldNames.length;
  if (fields > RECORD_WORDS) return [];
  const first = word - ((word - place.from) % place.stride);
  return Array.from({ length: fields }, (_, i) => first + i);
}

function placeOf({ places }: Machine, word: number): Machine['places'][number] | undefined {
  const place = places.findLast(({ from }) => from <= word);
  return place !== undefined && word < place.from + place.words ? place : undefined;
}

/** The word of this name; 0 if there is none. */
export function wordNamed(machine: Machine, name: string): number {
  const perDomain = machine.config['vcpusPerDomain'] ?? 1;
  for (const { shape, from, stride, outer } of machine.places) {
    const found = patternOf(shape.name).exec(name);
    if (found === null) continue;
    const rest = found[0].length === name.length ? 'value' : name.slice(found[0].length + 1);
    const field = shape.fieldNames.indexOf(rest);
    const index = found.slice(1).map((text) => indexOf(text, perDomain));
    const [i = 0, j] = index;
    const record = j === undefined ? i * stride : i * outer + j * stride;
    const word = from + record + field;
    if (field >= 0 && wordName(machine, word) === name) return word;
  }
  return 0;
}

/** Matches the beginning of a name: a number or a vCPU for each index. */
function patternOf(table: string): RegExp {
  const parts = table.split(/(%v?)/).map((part) => {
    if (part === '%') return '(\\d+)';
    return part === '%v' ? '(d\\d+v\\d+)' : part.replaceAll(/[.[\]]/g, '\\$&');
  });
  return new RegExp(`^${parts.join('')}`);
}

function indexOf(text: string, perDomain: number): number {
  const vcpu = /^d(\d+)v(\d+)$/.exec(text);
  return vcpu === null ? Number(text) : Number(vcpu[1]) * perDomain + Number(vcpu[2]);
}

/** A word with all its names. */
export function nameOf(machine: Machine, word: number): NamedWord {
  const name = wordName(machine, word);
  const place = placeOf(machine, word);
  if (place === undefined) return { word, name, table: '', field: '', index: [], doc: '' };
  const { shape, from, stride, counts } = place;
  const offset = word - from;
  const record = Math.floor(offset / stride);
  const inner = counts.at(-1) ?? 1;
  const pair = [Math.floor(record / inner), record % inner];
  const index = counts.length === 2 ? pair : counts.length === 1 ? [record] : [];
  const field = offset % stride;
  return {
    word,
    name,
    table: shape.name,
    field: shape.fieldNames[field] ?? `pad${field}`,
    index,
    doc: shape.fieldDocs[field] ?? '',
  };
}
