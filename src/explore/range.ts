/**
 * A range of the executions of a question. Execution i of a random strategy is the same whoever
 * runs it, so the ranges of a question can be run apart from each other and put together again.
 */
import { attach } from '../shared/layout.ts';
import type { CheckResult } from './check.ts';
import { check } from './check.ts';
import type { PreparedScenario, ScenarioModule } from './scenario.ts';
import type { StrategyName } from './strategies/index.ts';

/** What is explored, in words that can be sent to a thread. */
export interface Question {
  readonly scenario: string;
  /** Empty if the scenario has no designs. */
  readonly design: string;
  readonly param: number;
  readonly memory: 'sc' | 'tso';
  readonly strategy: StrategyName;
  readonly seed: number;
  readonly depth: number;
}

/** Executions `first` to `first + executions - 1` of a question. */
export interface Range {
  readonly question: Question;
  /** A multiple of STRETCH. */
  readonly first: number;
  readonly executions: number;
  /** Most time to spend. */
  readonly seconds: number;
  /** One shared word: the number of the execution from which on nothing need be run any more. */
  readonly end: Int32Array;
}

/** Strategies whose executions can be run in ranges. */
export const SPREADABLE: readonly StrategyName[] = ['random', 'pct', 'pos', 'surw'];

/** Scenarios as they are prepared in this thread: the last one stays while it is asked for. */
export class PreparedQuestion {
  private asked = '';
  private prepared: PreparedScenario | null = null;
  private readonly find: ScenarioModule['findScenario'];

  /** @param find - gives a scenario by name. */
  constructor(find: ScenarioModule['findScenario']) {
    this.find = find;
  }

  of({ scenario, design, param }: Question): PreparedScenario {
    const asked = JSON.stringify([scenario, design, param]);
    if (this.prepared === null || this.asked !== asked) {
      this.prepared = this.find(scenario).prepare({ design, param });
      this.asked = asked;
    } else {
      // Another machine may have been attached in between.
      attach(this.prepared.machine);
    }
    return this.prepared;
  }
}

/** Runs ranges in this thread. */
export class RangeRunner {
  private readonly prepared: PreparedQuestion;

  /** @param find - gives a scenario by name. */
  constructor(find: ScenarioModule['findScenario']) {
    this.prepared = new PreparedQuestion(find);
  }

  run({ question, first, executions, seconds, end }: Range): CheckResult {
    const { memory, strategy, seed, depth, ...subject } = question;
    const goOn = (run: number): boolean => first + run < Atomics.load(end, 0);
    const how = { memory, strategy, seed, depth, first, executions, seconds };
    return check({ ...this.prepared.of(question), ...how, subject, goOn });
  }
}
