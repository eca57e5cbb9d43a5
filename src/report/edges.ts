/**
 * What puts steps of different actors in order: who read what from whom, and which of these pairs
 * the actors use to order themselves (release and acquire, as in the Linux kernel memory model;
 * Documentation/memory-barriers.txt). The program's own order is not told: it is the order of an
 * actor's steps.
 */
import { READS, READS_OWN, WRITES } from '../explore/model.ts';
import {
  ACQUIRE_WHEN,
  AWAIT_EQUAL,
  AWAIT_NOT_EQUAL,
  CMPXCHG,
  FETCH_ADD,
  FETCH_AND,
  FETCH_OR,
  LOAD_ACQUIRE,
  STORE_RELEASE,
  XCHG,
} from '../shared/kinds.ts';
import type { NarratedStep, Switch } from './narrate.ts';
import type { EdgeKind, RaceEdge, RaceRecord } from './race.ts';

const ATOMIC: readonly number[] = [CMPXCHG, XCHG, FETCH_ADD, FETCH_AND, FETCH_OR, ACQUIRE_WHEN];
const RELEASES: ReadonlySet<number> = new Set([...ATOMIC, STORE_RELEASE]);
const ACQUIRES: ReadonlySet<number> = new Set([
  ...ATOMIC,
  LOAD_ACQUIRE,
  AWAIT_EQUAL,
  AWAIT_NOT_EQUAL,
]);
/** Edges by which actors order themselves. */
const ORDERING: ReadonlySet<EdgeKind> = new Set(['sync', 'lock', 'ipi', 'flush']);

/** What is known of words beside their accesses. */
export interface EdgeContext {
  /** Is the word a lock? */
  isLock(word: number): boolean;
  /** By actor: the word that it waits on as an idle interrupt; -1 for others. */
  readonly idleWords: readonly number[];
}

/** What happened to a word so far. */
interface History {
  /** The last step that wrote it; -1 if none. */
  writer: number;
  /** By actor: its last read since then. */
  readers: Map<number, number>;
}

/** All edges, in the order of their later ends. Each read and write has the nearest ones only. */
export function edgesOf(
  steps: readonly NarratedStep[],
  switches: readonly Switch[],
  context: EdgeContext,
): RaceEdge[] {
  const words = new Map<number, History>();
  const edges: RaceEdge[] = [];
  const waited = new Set(
    switches.flatMap(({ reason, resumes }) => (reason === 'waits' ? resumes : [])),
  );
  steps.forEach((step, i) => {
    if (step.store >= 0) edges.push([step.store, i, 'flush']);
    const { word, effect, actor } = step;
    const reads = effect === READS || (effect === WRITES && ATOMIC.includes(step.kind));
    if (word === 0 || effect === READS_OWN || (!reads && effect !== WRITES)) return;
    const history = words.get(word) ?? { writer: -1, readers: new Map<number, number>() };
    words.set(word, history);
    const { writer, readers } = history;
    const foreign = writer >= 0 && steps[writer]?.actor !== actor;
    if (reads && foreign && !readers.has(actor)) {
      const kind = readKind(steps[writer] as NarratedStep, step, waited.has(i), context);
      edges.push([writer, i, kind]);
    } else if (!reads && foreign) edges.push([writer, i, 'ww']);
    if (effect === WRITES) {
      for (const [reader, at] of readers) if (reader !== actor) edges.push([at, i, 'rw']);
      words.set(word, { writer: i, readers: new Map() });
    } else readers.set(actor, i);
  });
  return edges;
}

function readKind(
  write: NarratedStep,
  read: NarratedStep,
  waited: boolean,
  { isLock, idleWords }: EdgeContext,
): EdgeKind {
  if (idleWords[read.actor] === read.word) return 'ipi';
  const ordered = RELEASES.has(write.kind) && ACQUIRES.has(read.kind);
  if (ordered) return isLock(read.word) ? 'lock' : 'sync';
  return waited ? 'wake' : 'rf';
}

/**
 * Vector clocks: by step and actor, the number of the actor's steps that are before this step or
 * are it, by the program's order and the edges by which actors order themselves.
 * @returns row after row, one number for each actor.
 */
export function clocksOf({
  steps,
  edges,
  actors,
}: Pick<RaceRecord, 'edges'> & {
  readonly steps: readonly { readonly actor: number }[];
  readonly actors: readonly unknown[];
}): Int32Array {
  const width = actors.length;
  const clocks = new Int32Array(steps.length * width);
  const last = new Int32Array(width).fill(-1);
  let next = 0;
  const join = (i: number, from: number): void => {
    for (let a = 0; a < width; a++) {
      const seen = clocks[from * width + a] as number;
      if (seen > (clocks[i * width + a] as number)) clocks[i * width + a] = seen;
    }
  };
  steps.forEach(({ actor }, i) => {
    const previous = last[actor] as number;
    if (previous >= 0) join(i, previous);
    for (; next < edges.length && edges[next]?.[1] === i; next++) {
      const [from, , kind] = edges[next] as RaceEdge;
      if (ORDERING.has(kind)) join(i, from);
    }
    clocks[i * width + actor] = (clocks[i * width + actor] as number) + 1;
    last[actor] = i;
  });
  return clocks;
}

/** Is step `i` before step `j` by what the actors do to order them? */
export function isOrdered(
  race: Parameters<typeof clocksOf>[0],
  i: number,
  j: number,
  clocks = clocksOf(race),
): boolean {
  const width = race.actors.length;
  const actor = race.steps[i]?.actor ?? 0;
  const own = clocks[i * width + actor] as number;
  return (clocks[j * width + actor] as number) >= own;
}
