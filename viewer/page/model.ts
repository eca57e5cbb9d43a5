/**
 * A race as the views ask for it: who goes when, what a step depends on, where a word is accessed.
 * Made once for each race that is shown; nothing here knows of elements.
 */
import type { Place } from '../../src/report/places.ts';
import type { PageRace } from '../../src/report/page-data.ts';
import type { RaceObject, RaceRecord, RaceStep, RaceSwitch } from '../../src/report/race.ts';
import { placesOfStack } from '../../src/report/race.ts';
import { Memory } from './memory.ts';

/** Edges by one of their ends: those of end i are numbers `from[i]` to `from[i + 1]`. */
interface EdgeIndex {
  readonly from: Int32Array;
  readonly edges: Int32Array;
}

const NO_STEPS = new Int32Array(0);
/** How a step lies to the selected one. */
export const UNRELATED = 0;
export const EARLIER = 1;
export const LATER = 2;
export const SELF = 3;

export class RaceModel {
  readonly race: RaceRecord;
  readonly memory: Memory;
  readonly length: number;
  /** Actors that take a step, in their order: those that get a lane. */
  readonly lanes: readonly number[];
  /** By step: the switch before it. */
  readonly turns: ReadonlyMap<number, RaceSwitch>;
  private readonly incoming: EdgeIndex;
  private readonly outgoing: EdgeIndex;
  /** By step: the one before and after it of the same actor, -1 if none. */
  private readonly previous: Int32Array;
  private readonly next: Int32Array;
  private readonly accesses: EdgeIndex;
  private readonly flushes = new Map<number, number>();

  constructor({ race, image }: PageRace) {
    this.race = race;
    this.length = race.steps.length;
    this.memory = new Memory(image, this.length);
    this.turns = new Map(race.switches.map((turn) => [turn.before, turn]));
    this.lanes = [...new Set(race.steps.map(({ actor }) => actor))].sort((a, b) => a - b);
    this.incoming = indexBy(
      race.edges.map(([, to]) => to),
      this.length,
    );
    this.outgoing = indexBy(
      race.edges.map(([from]) => from),
      this.length,
    );
    this.accesses = indexBy(
      race.steps.map(({ object }) => object),
      race.objects.length,
    );
    this.previous = new Int32Array(this.length).fill(-1);
    this.next = new Int32Array(this.length).fill(-1);
    const last = new Map<number, number>();
    race.steps.forEach(({ actor, store }, i) => {
      const before = last.get(actor) ?? -1;
      this.previous[i] = before;
      if (before >= 0) this.next[before] = i;
      last.set(actor, i);
      if (store !== undefined) this.flushes.set(store, i);
    });
  }

  step(i: number): RaceStep {
    const step = this.race.steps[i];
    if (step === undefined) throw new RangeError(`no step ${i}`);
    return step;
  }

  object(i: number): RaceObject | undefined {
    return this.race.objects[this.step(i).object];
  }

  actorName(actor: number): string {
    return this.race.actors[actor]?.name ?? `actor ${actor}`;
  }

  /** The name of a process: an actor, or the store buffer of one. */
  processName(process: number): string {
    const { actors } = this.race;
    if (process < actors.length) return this.actorName(process);
    return `store buffer of ${this.actorName(process - actors.length)}`;
  }

  /** The process that a step was: its actor, or the store buffer of the actor's processor. */
  processAt(i: number): number {
    const { actors } = this.race;
    const { actor, store } = this.step(i);
    if (store === undefined) return actor;
    let owner = actor;
    for (let up = actors[owner]?.interrupts; up != null; up = actors[up]?.interrupts) owner = up;
    return actors.length + owner;
  }

  /** The innermost function first. */
  places(i: number): readonly Place[] {
    return placesOfStack(this.race, this.step(i).stack);
  }

  /** Numbers of the edges that end at a step. */
  edgesTo(i: number): Int32Array {
    return entriesOf(this.incoming, i);
  }

  /** Numbers of the edges that begin at a step. */
  edgesFrom(i: number): Int32Array {
    return entriesOf(this.outgoing, i);
  }

  /** The steps that access an object. */
  accessesOf(object: number): Int32Array {
    return object < 0 ? NO_STEPS : entriesOf(this.accesses, object);
  }

  /** The step that brings a buffered store to memory; -1 if none does. */
  flushOf(i: number): number {
    return this.flushes.get(i) ?? -1;
  }

  /** The actor's next step after `i`, its own or not; -1 if it takes none. */
  nextOf(actor: number, i: number): number {
    for (let at = i; at < this.length; at++) if (this.step(at).actor === actor) return at;
    return -1;
  }

  isConflict(i: number): boolean {
    return this.race.conflict?.includes(i) === true;
  }

  /** Does the step change what its word holds? */
  changes(i: number): boolean {
    const { effect, before, after } = this.step(i);
    return effect === 'writes' && before !== after;
  }

  /** The processes that could go at a step. */
  enabledAt(i: number): readonly number[] {
    for (let at = i; at >= 0; at--) {
      const { enabled } = this.step(at);
      if (enabled !== undefined) return enabled;
    }
    return [];
  }

  /** By step: does it lie before the selected one by what depends on what, after it, or neither? */
  related(selected: number): Uint8Array {
    const { edges } = this.race;
    const how = new Uint8Array(this.length);
    how[selected] = EARLIER;
    for (let i = selected; i >= 0; i--) {
      if (how[i] !== EARLIER) continue;
      const before = this.previous[i] ?? -1;
      if (before >= 0) how[before] = EARLIER;
      for (const edge of this.edgesTo(i)) how[edges[edge]?.[0] ?? 0] = EARLIER;
    }
    how[selected] = LATER;
    for (let i = selected; i < this.length; i++) {
      if (how[i] !== LATER) continue;
      const after = this.next[i] ?? -1;
      if (after >= 0) how[after] = LATER;
      for (const edge of this.edgesFrom(i)) how[edges[edge]?.[1] ?? 0] = LATER;
    }
    how[selected] = SELF;
    return how;
  }
}

/** Sorts numbers of things by a key of theirs; keys below 0 are left out. */
function indexBy(keys: readonly number[], count: number): EdgeIndex {
  const from = new Int32Array(count + 1);
  let known = 0;
  for (const key of keys) {
    if (key < 0) continue;
    known++;
    from[key + 1] = (from[key + 1] ?? 0) + 1;
  }
  for (let i = 0; i < count; i++) from[i + 1] = (from[i + 1] ?? 0) + (from[i] ?? 0);
  const edges = new Int32Array(known);
  const next = from.slice();
  keys.forEach((key, i) => {
    if (key < 0) return;
    const at = next[key] ?? 0;
    edges[at] = i;
    next[key] = at + 1;
  });
  return { from, edges };
}

function entriesOf({ from, edges }: EdgeIndex, i: number): Int32Array {
  return edges.subarray(from[i] ?? 0, from[i + 1] ?? 0);
}
