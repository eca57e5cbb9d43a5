/**
 * A scenario: a question that can be explored by name. It makes a machine, poses actors to each
 * other and says what must hold; how it is explored is up to whoever asks.
 */
import type { CheckOptions } from './check.ts';

/** What a scenario contributes to an exploration. */
export type PreparedScenario = Pick<
  CheckOptions,
  'machine' | 'setup' | 'actors' | 'invariant' | 'final' | 'observer' | 'maxSteps'
>;

/** How a scenario is made. */
export interface ScenarioOptions {
  /** One of `designs`, or an empty string if there are none. */
  readonly design: string;
  /** The size, if the scenario has one. */
  readonly param: number;
}

export interface Scenario {
  /** `room/name`, as the command line takes it. */
  readonly name: string;
  /** One sentence: who does what, and what is at stake. */
  readonly about: string;
  /** Designs that it can be asked of; empty if designs don't matter. */
  readonly designs: readonly string[];
  /** What the parameter counts, its smallest and its usual value; absent if there is none. */
  readonly param?: { readonly counts: string; readonly least: number; readonly usual: number };
  /** Makes and attaches the machine. The words as they are then start every execution. */
  prepare(options: ScenarioOptions): PreparedScenario;
}

/** A module that knows scenarios by name, for threads that make one of their own. */
export interface ScenarioModule {
  /** @returns the scenario; throws if there is none of this name. */
  findScenario(name: string): Scenario;
}
