/** Explores a litmus test exhaustively and collects its final states. */
import type { CheckOptions } from '../explore/check.ts';
import { check } from '../explore/check.ts';
import { STORE_RELEASE, WRITE, WRITE_ONCE } from '../shared/kinds.ts';
import { createMachine } from '../shared/layout.ts';
import { mem, poke } from '../shared/memory.ts';
import { silent } from '../shared/observer.ts';
import { holds, placesOf, propositionText } from './condition.ts';
import { ExecutionGraph } from './execution-graph.ts';
import type { Run } from './interpret.ts';
import { Location, litmusTables, litmusThread } from './interpret.ts';
import type { FinalState, LitmusTest, Place } from './litmus-test.ts';
import { ADDRESS_BASE, placeName, valueName } from './litmus-test.ts';

/** A final state, as it is shown, and how many candidate executions end in it. */
export interface LitmusState {
  readonly state: string;
  readonly count: number;
}

export interface LitmusResult {
  readonly name: string;
  readonly memory: 'sc' | 'tso';
  readonly states: readonly LitmusState[];
  readonly quantifier: LitmusTest['quantifier'];
  readonly condition: string;
  /** Candidate executions whose state satisfies the proposition, and those whose does not. */
  readonly positive: number;
  readonly negative: number;
  /** Is the quantified condition true? */
  readonly ok: boolean;
  readonly observation: 'Never' | 'Sometimes' | 'Always';
  /** Every interleaving was covered; if not, more states may exist. */
  readonly exhausted: boolean;
  /** Interleavings that were run. */
  readonly executions: number;
  readonly seconds: number;
}

/** A litmus test that cannot be run: a thread uses a number as an address. */
export class LitmusRunError extends Error {}

/** Runs a test to exhaustion, or as far as `executions` interleavings go. */
export function runLitmus(
  test: LitmusTest,
  memory: 'sc' | 'tso',
  executions = Number.MAX_SAFE_INTEGER,
): LitmusResult {
  const from = performance.now();
  const collected = new Collector(test);
  const result = check(collected.options(memory, executions));
  if (result.finding !== undefined) {
    throw new LitmusRunError(`${result.finding.invariant}: ${result.finding.message}`);
  }
  const states = collected.states();
  const { positive, negative } = collected;
  const existential = test.quantifier === 'exists' ? positive > 0 : positive === 0;
  return {
    name: test.name,
    memory,
    states,
    quantifier: test.quantifier,
    condition: `${test.quantifier} (${propositionText(test.condition, test.locations)})`,
    positive,
    negative,
    ok: test.quantifier === 'forall' ? negative === 0 : existential,
    observation: positive === 0 ? 'Never' : negative === 0 ? 'Always' : 'Sometimes',
    exhausted: result.exhausted,
    executions: result.executions,
    seconds: (performance.now() - from) / 1000,
  };
}

/** What the executions of one test have shown so far. */
class Collector {
  positive = 0;
  negative = 0;
  private readonly test: LitmusTest;
  private readonly run: Run;
  private readonly places: readonly Place[];
  private readonly seen = new Set<string>();
  private readonly counts = new Map<string, { values: readonly number[]; count: number }>();

  constructor(test: LitmusTest) {
    this.test = test;
    this.run = {
      test,
      graph: new ExecutionGraph(test.threads.length),
      ended: 0,
      registers: test.threads.map(() => new Map<string, number>()),
    };
    this.places = shownPlaces(test);
  }

  options(memory: 'sc' | 'tso', executions: number): CheckOptions {
    const { test, run } = this;
    const sizes = { locations: Math.max(1, test.locations.length), threads: test.threads.length };
    const machine = createMachine(litmusTables, sizes);
    test.initial.forEach((value, i) => poke(Location.value.at(i), value));
    return {
      machine,
      setup: () => this.restart(),
      actors: test.threads.map((_, i) => ({ name: `P${i}`, body: () => litmusThread(run, i) })),
      final: () => this.collect(),
      observer: {
        ...silent,
        access: (actor, kind) => {
          if (kind === WRITE || kind === WRITE_ONCE || kind === STORE_RELEASE) {
            run.graph.reached(actor);
          }
        },
      },
      strategy: 'optimal',
      deadlocks: false,
      memory,
      executions,
    };
  }

  /** Final states in herd's order, with their counts. */
  states(): LitmusState[] {
    const sorted = [...this.counts.values()].sort((a, b) => compare(a.values, b.values));
    return sorted.map(({ values, count }) => ({ state: this.show(values), count }));
  }

  private restart(): void {
    this.run.graph.clear();
    this.run.ended = 0;
    this.run.registers.forEach((registers, i) => {
      registers.clear();
      for (const [name, value] of this.test.registers[i] ?? []) registers.set(name, value);
    });
  }

  private collect(): null {
    if (this.run.ended < this.test.threads.length) return null;
    const name = this.run.graph.name();
    if (this.seen.has(name)) return null;
    this.seen.add(name);
    const state: FinalState = { valueOf: (place) => this.valueOf(place) };
    if (this.test.filter !== null && !holds(this.test.filter, state)) return null;
    if (holds(this.test.condition, state)) this.positive++;
    else this.negative++;
    const values = this.places.map((place) => this.valueOf(place));
    const key = values.join();
    const known = this.counts.get(key);
    if (known === undefined) this.counts.set(key, { values, count: 1 });
    else known.count++;
    return null;
  }

  private valueOf(place: Place): number {
    if (place.of === 'register') return this.run.registers[place.thread]?.get(place.name) ?? 0;
    return mem[Location.value.at(this.test.locations.indexOf(place.name))] as number;
  }

  private show(values: readonly number[]): string {
    const { locations } = this.test;
    return this.places
      .map((place, i) => `${placeName(place)}=${valueName(values[i] ?? 0, locations)};`)
      .join(' ');
  }
}

function rank(place: Place): string {
  if (place.of === 'location') return `1 ${place.name}`;
  return `0 ${String(place.thread).padStart(4, '0')} ${place.name}`;
}

/** The places of the condition and of `locations`, each once: registers first, in order. */
function shownPlaces(test: LitmusTest): Place[] {
  const byName = new Map<string, Place>();
  for (const place of [...placesOf(test.condition), ...test.shown]) {
    byName.set(placeName(place), place);
  }
  return [...byName.values()].sort((a, b) => (rank(a) < rank(b) ? -1 : 1));
}

function compare(a: readonly number[], b: readonly number[]): number {
  const at = a.findIndex((value, i) => value !== b[i]);
  if (at < 0) return 0;
  const [left, right] = [a[at] as number, b[at] as number];
  const isAddress = left >= ADDRESS_BASE !== right >= ADDRESS_BASE;
  return isAddress ? right - left : left - right;
}
