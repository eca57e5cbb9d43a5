/**
 * From declared tables and a configuration to a machine: one shared memory in which every table
 * has its place and every word its name.
 *
 * word 0  magic      [BOOT] MAGIC, so that a worker refuses a buffer that is no machine
 * word 1  abi hash   [BOOT] hash of all declarations and sizes: a worker built from other code
 *                    than its starter refuses the machine
 * then the tables, ordinary ones first, watched ones last.
 */
import { bindMemory } from './memory.ts';
import type { AnyTable, Config, TableShape } from './table.ts';

/** Words of a cache line: records that different actors write start on their own line. */
export const LINE_WORDS = 16;
const HEADER_WORDS = LINE_WORDS;
const MAGIC = 0x676e7431; // "gnt1"
const PAGE_BYTES = 65536;
/** Largest machine: the words must be indexable by a shared WebAssembly memory of 4 GiB. */
export const MAX_WORDS = 0x3fffffff;

interface Place {
  readonly shape: TableShape;
  readonly from: number;
  readonly words: number;
  readonly stride: number;
  readonly outer: number;
  readonly counts: readonly number[];
}

/** A machine: its configuration, the places of its tables and its shared words. */
export interface Machine {
  readonly tables: readonly AnyTable[];
  readonly config: Config;
  readonly places: readonly Place[];
  /** The first word of the watched tables; every word from here on is watched. */
  readonly watchedFrom: number;
  readonly abiHash: number;
  readonly memory: WebAssembly.Memory;
  readonly words: Int32Array;
}

interface Plan {
  readonly places: readonly Place[];
  readonly watchedFrom: number;
  readonly total: number;
  readonly abiHash: number;
}

/** A configuration that no machine can be built from; the message is one line for the user. */
export class ConfigError extends Error {}

function plan(tables: readonly AnyTable[], config: Config): Plan {
  const ordered = [
    ...tables.filter((table) => !table.shape.watched),
    ...tables.filter((table) => table.shape.watched),
  ];
  const places: Place[] = [];
  let next = HEADER_WORDS;
  let watchedFrom = -1;
  for (const { shape } of ordered) {
    const counts = shape.dims.map((key) => size(config, key, shape.name));
    const fields = shape.fields.length;
    const stride = shape.lineAligned ? alignToLine(fields) : fields;
    const inner = (counts.at(-1) ?? 1) * stride;
    const outer = counts.length === 2 ? inner : 0;
    const words = counts.length === 2 ? (counts[0] as number) * outer : inner;
    next = alignToLine(next);
    if (shape.watched && watchedFrom < 0) watchedFrom = next;
    places.push({ shape, from: next, words, stride, outer, counts });
    next += words;
  }
  if (next > MAX_WORDS) {
    throw new ConfigError(`the machine needs ${next} words; at most ${MAX_WORDS} fit`);
  }
  const abiHash = hashPlaces(places);
  return { places, watchedFrom: watchedFrom < 0 ? next : watchedFrom, total: next, abiHash };
}

function size(config: Config, key: string, table: string): number {
  const value = config[key];
  if (value === undefined) throw new ConfigError(`table ${table}: no size called "${key}"`);
  if (!Number.isInteger(value) || value < 1) {
    throw new ConfigError(`${key} must be a positive whole number, not ${value}`);
  }
  return value;
}

function alignToLine(words: number): number {
  return Math.ceil(words / LINE_WORDS) * LINE_WORDS;
}

/** FNV-1a over names, fields and places, so that it says "other code or other sizes". */
function hashPlaces(places: readonly Place[]): number {
  let hash = 0x811c9dc5;
  const text = places
    .map(
      (place) =>
        `${place.shape.name}(${place.shape.fieldNames.join()})@${place.from}+${place.words}`,
    )
    .join('\n');
  for (let i = 0; i < text.length; i++) {
    hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  }
  return hash | 0;
}

/** Words that a machine of this configuration takes, without making it. */
export function machineWords(tables: readonly AnyTable[], config: Config): number {
  return plan(tables, config).total;
}

/** Makes a machine with zeroed memory and attaches it. */
export function createMachine(tables: readonly AnyTable[], config: Config): Machine {
  const planned = plan(tables, config);
  const pages = Math.ceil((planned.total * 4) / PAGE_BYTES);
  const memory = allocate(pages, planned.total);
  const machine = assemble(tables, config, planned, memory);
  machine.words[0] = MAGIC;
  machine.words[1] = planned.abiHash;
  attach(machine);
  return machine;
}

/**
 * Shared, except in a browser's page that is not isolated from others, as one from disk is not:
 * memory cannot be shared there, and fibers, which run in one thread, need no sharing.
 */
function allocate(pages: number, words: number): WebAssembly.Memory {
  const { crossOriginIsolated } = globalThis as { crossOriginIsolated?: boolean };
  const shared = crossOriginIsolated !== false;
  try {
    return new WebAssembly.Memory({ initial: pages, maximum: pages, shared });
  } catch {
    throw new ConfigError(`a machine of ${words} words does not fit into this host's memory`);
  }
}

/** Opens a machine that another thread made, and attaches it. Refuses one of other code. */
export function openMachine(
  tables: readonly AnyTable[],
  config: Config,
  memory: WebAssembly.Memory,
): Machine {
  const planned = plan(tables, config);
  const machine = assemble(tables, config, planned, memory);
  if (machine.words[0] !== MAGIC) throw new ConfigError('the memory holds no machine');
  if (machine.words[1] !== planned.abiHash) {
    throw new ConfigError('the machine was made by other code or with other sizes');
  }
  attach(machine);
  return machine;
}

function assemble(
  tables: readonly AnyTable[],
  config: Config,
  planned: Plan,
  memory: WebAssembly.Memory,
): Machine {
  return {
    tables,
    config,
    places: planned.places,
    watchedFrom: planned.watchedFrom,
    abiHash: planned.abiHash,
    memory,
    words: new Int32Array(memory.buffer, 0, planned.total),
  };
}

/** Makes this thread's tables and operations refer to `machine`. */
export function attach(machine: Machine): void {
  for (const place of machine.places) {
    place.shape.fields.forEach((field, i) => {
      field.word = place.from + i;
      field.stride = place.stride;
      field.outer = place.outer;
      field.count = place.counts.at(-1) ?? 1;
    });
  }
  bindMemory(machine.words);
}

/** What the names of words are made of. */
export interface Names {
  readonly places: readonly (Pick<Place, 'from' | 'words' | 'stride' | 'counts'> & {
    readonly shape: Pick<TableShape, 'name' | 'fieldNames'>;
  })[];
  readonly config: Config;
}

/** The name of a word, e.g. `gnttab[d1].entry[3].hdr`; for reports, not for hot paths. */
export function wordName(machine: Names, word: number): string {
  const place = machine.places.findLast((candidate) => candidate.from <= word);
  if (place === undefined || word >= place.from + place.words) return `word[${word}]`;
  const offset = word - place.from;
  const record = Math.floor(offset / place.stride);
  const inner = place.counts.at(-1) ?? 1;
  const indices =
    place.counts.length === 2 ? [Math.floor(record / inner), record % inner] : [record];
  const fieldIndex = offset % place.stride;
  const field = place.shape.fieldNames[fieldIndex] ?? `pad${fieldIndex}`;
  const perDomain = machine.config['vcpusPerDomain'] ?? 1;
  let dim = 0;
  const record0 = place.shape.name.replace(/%v?/g, (token) => {
    const index = indices[dim++] ?? 0;
    return token === '%v' ? vcpuName(index, perDomain) : String(index);
  });
  return place.shape.fieldNames.length === 1 && field === 'value' ? record0 : `${record0}.${field}`;
}

/** Xen's spelling of a vCPU: domain and number within it. */
export function vcpuName(vcpu: number, vcpusPerDomain: number): string {
  return `d${Math.floor(vcpu / vcpusPerDomain)}v${vcpu % vcpusPerDomain}`;
}
