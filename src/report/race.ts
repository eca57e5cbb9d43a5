/**
 * `race/v1`: a race as a record, who did what in which order, which steps matter, and which two
 * accesses decide. Every view (terminal, page, exports) is made of it and of nothing else. It is
 * plain data: JSON takes it and gives it back. docs/report-format.md is its schema for readers;
 * within version 1 fields are only ever added.
 */
import type { Config } from '../shared/table.ts';
import type { LockKind } from './meaning.ts';
import type { SwitchReason } from './narrate.ts';
import type { Place } from './places.ts';

export const RACE_SCHEMA = 'race/v1';

/** What made the record. */
export interface RaceTool {
  /** Of gntrace. */
  readonly version: string;
  /** Of the checkout; null if it is none. */
  readonly commit: string | null;
  /** Of Node.js, or what else runs it. */
  readonly runtime: string;
}

/** What the record is about. */
export interface RaceSubject {
  readonly scenario: string;
  /** Empty if the scenario has none. */
  readonly design: string;
  readonly param: number;
  readonly memory: string;
  /** That found it. */
  readonly strategy: string;
  readonly seed: string;
  /** The command that shows it again. */
  readonly replay: string;
}

export interface RaceActor {
  readonly name: string;
  /** What it does: the name without its vCPU. */
  readonly role: string;
  /** null for a device, or where the scenario knows no domains. */
  readonly domain: number | null;
  /** Of its domain, from 0. */
  readonly vcpu: number | null;
  /** Index of the actor that it interrupts; null if it is no interrupt. */
  readonly interrupts: number | null;
  /** Waits for ever without harm. */
  readonly daemon: boolean;
}

/** A word that the race touches, or that stands in one record with such a word. */
export interface RaceObject {
  readonly word: number;
  /** `gnttab[d1].entry[8].hdr` */
  readonly name: string;
  /** `gnttab[d%].entry[%]` */
  readonly table: string;
  /** `hdr` */
  readonly field: string;
  /** `[1, 8]` */
  readonly index: readonly number[];
  /** `grant-entry`; src/decode/structures.ts has the list. */
  readonly structure: string;
  readonly lock: LockKind | null;
  /** `[WRITERS] meaning`, as declared. */
  readonly doc: string;
  /** Its value before the first step. */
  readonly initial: number;
  /** In words, what the numbers mean that it has at any time; absent where the number says it. */
  readonly values: Readonly<Record<string, string>>;
  /** Of reference and pin counts: what each number counts, by the number as a text. */
  readonly counts?: Readonly<Record<string, Readonly<Record<string, number>>>>;
  /** It also changes outside of steps (a TLB entry, a register): its value is not known between. */
  readonly unseen?: boolean;
}

/** What a step did to memory. */
export type Effect = 'none' | 'buffers' | 'own' | 'reads' | 'writes';

export interface RaceStep {
  /** Index of who performed it, or who stored what is flushed. */
  readonly actor: number;
  /** Index into `kinds`. */
  readonly kind: number;
  /**
   * none: touches no word. buffers: the store went into the store buffer. own: read from the own
   * store buffer. reads, writes: from and to memory; an atomic operation that succeeds writes.
   */
  readonly effect: Effect;
  /** Index into `objects`; -1 if it touches none. */
  readonly object: number;
  /** Of the word in memory. Equal while a store waits in its buffer. */
  readonly before: number;
  readonly after: number;
  readonly result: number;
  /** Operands where the kind does not tell them by the values: what is awaited, compared, … */
  readonly operands?: readonly number[];
  /** Index into `objects` of the word that an access through a translation depends on. */
  readonly guard?: number;
  /** Of a flush: the step that put the store into the buffer. Absent for operations. */
  readonly store?: number;
  /** Index into `stacks`; -1 if nothing is known. */
  readonly stack: number;
  /** Several actors access its word, one of them writes, and it is no lock; or the word broke. */
  readonly matters: boolean;
  /** What could go: actors by index, then store buffers. Absent: as at the step before. */
  readonly enabled?: readonly number[];
  /** What tracepoints and assertions told after it, in words. */
  readonly notes?: readonly string[];
}

/** A step of somebody else is next. */
export interface RaceSwitch {
  /** Index of the first step behind it. */
  readonly before: number;
  readonly from: number;
  readonly to: number;
  readonly reason: SwitchReason;
  /** Index into `objects` of the word that `from` waits for. */
  readonly object?: number;
}

/**
 * Why one step is before another of another actor. rf: reads what the other wrote. ww: writes over
 * it. rw: writes over what the other read. sync: rf of a release by an acquire. lock: the same on
 * a lock. ipi: rf by an interrupt that was idle. wake: rf by an actor that waited. flush: the
 * store reaches memory.
 */
export type EdgeKind = 'rf' | 'ww' | 'rw' | 'sync' | 'lock' | 'ipi' | 'wake' | 'flush';
/** From a step, to a later step, why. */
export type RaceEdge = readonly [number, number, EdgeKind];

/** An actor that waits for ever. */
export interface RaceWait {
  readonly actor: number;
  readonly kind: number;
  readonly object: number;
  readonly operands: readonly number[];
  readonly stack: number;
  /** Who holds the lock, and the step that took it; null if it is no lock or nobody holds it. */
  readonly holder: { readonly actor: number; readonly step: number } | null;
}

/** What repeats for ever. */
export interface RaceLoop {
  /** First step of the first whole repetition. */
  readonly from: number;
  /** Steps of one repetition. */
  readonly length: number;
  /** Repetitions until the end. */
  readonly times: number;
}

/** How it was found; fields that nobody counted are absent. */
export interface RaceStats {
  readonly executions?: number;
  /** Executions that broke, of all. */
  readonly rate?: number;
  /** Before and after shrinking. */
  readonly steps?: { readonly found: number; readonly min: number };
  readonly preemptions?: { readonly found: number; readonly min: number };
  readonly seconds?: number;
}

export type RaceKind = 'invariant' | 'assertion' | 'deadlock' | 'livelock' | 'exception';

export interface RaceRecord extends RaceSubject {
  readonly schema: typeof RACE_SCHEMA;
  readonly tool: RaceTool;
  /** Hash of the declared tables and their sizes, as eight hexadecimal digits. */
  readonly abi: string;
  /** Sizes of the machine by name. */
  readonly config: Config;
  readonly verdict: 'broken' | 'safe';
  /** Of a broken one. */
  readonly kind: RaceKind | null;
  /** `I8`, a name, `deadlock`, … */
  readonly invariant: string | null;
  readonly message: string | null;
  /** What it means for whoever runs such a machine. */
  readonly rule: string | null;
  /** Names of the words that show it, … */
  readonly words: readonly string[];
  /** … and what they held when it broke: indices into `objects` with values. */
  readonly shows: readonly { readonly object: number; readonly value: number }[];
  /** The same bug has the same one (fingerprint.ts). */
  readonly fingerprint: string | null;
  readonly actors: readonly RaceActor[];
  /** Names of the kinds of operations. */
  readonly kinds: readonly string[];
  readonly objects: readonly RaceObject[];
  /** Functions with file and line. */
  readonly places: readonly Place[];
  /** Indices into `places`, the innermost frame first. */
  readonly stacks: readonly (readonly number[])[];
  readonly steps: readonly RaceStep[];
  readonly switches: readonly RaceSwitch[];
  readonly edges: readonly RaceEdge[];
  readonly preemptions: number;
  /** The two steps whose order decides, as indices; null if there are none. */
  readonly conflict: readonly [number, number] | null;
  /** Is one of them before the other by what the actors do to order them? null: no pair. */
  readonly ordered: boolean | null;
  readonly waits: readonly RaceWait[];
  readonly loop: RaceLoop | null;
  readonly stats: RaceStats | null;
}

/** The places of a step, the innermost first. */
export function placesOfStack(race: RaceRecord, stack: number): readonly Place[] {
  return (race.stacks[stack] ?? []).map((place) => race.places[place] as Place);
}

/** A value of a word as it is shown: its meaning, else a count, else bits. */
export function valueText(object: RaceObject | undefined, value: number): string {
  return object?.values[String(value)] ?? numberText(value);
}

/** Small numbers are counts; large ones are bits. */
export function numberText(n: number): string {
  return n >= -1 && n < 4096 ? String(n) : `0x${(n >>> 0).toString(16)}`;
}
