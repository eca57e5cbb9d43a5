/** What a free-running run found out, in names. */
import { KIND_COUNT, KIND_NAMES } from '../shared/kinds.ts';
import type { Machine } from '../shared/layout.ts';
import { wordName } from '../shared/layout.ts';
import { RETRIES } from '../shared/processor.ts';
import { boardOverflow, readBoard } from './findings.ts';
import type { Fault } from './watchdog.ts';
import type { ActorPlan, World } from './world.ts';

/** A broken invariant. */
export interface RunFinding {
  readonly invariant: string;
  readonly what: string;
  readonly meaning: string;
  /** Names of the words that show it. */
  readonly words: readonly string[];
  /** Names of the actors; "checkpoint" when it was found with the world stopped. */
  readonly actors: readonly string[];
  readonly firstSeenAtSeconds: number;
  readonly count: number;
}

/** What the watchdog saw, and when. */
export interface RunFault extends Fault {
  readonly atMs: number;
  /** A fault that the user asked for. */
  readonly injected: boolean;
}

/** The fault in names. */
export interface FaultReport {
  readonly kind: string;
  readonly actors: readonly string[];
  readonly words: readonly string[];
  readonly atSeconds: number;
  readonly injected: boolean;
  /** The error that ended the actor, if one did. */
  readonly error: string;
}

export interface RunResult {
  readonly seconds: number;
  /** Operations by kind; kinds that did not occur are left out. */
  readonly operations: Readonly<Record<string, number>>;
  readonly operationCount: number;
  readonly operationsPerSecond: number;
  /** Failed compare-and-swaps. */
  readonly retries: number;
  readonly findings: readonly RunFinding[];
  /** Findings that were only counted. */
  readonly findingsNotKept: number;
  readonly fault: FaultReport | null;
  readonly interrupted: boolean;
  /** Checkpoints in the middle of work, at rest, and those that were not reached in time. */
  readonly checkpoints: {
    readonly stopped: number;
    readonly atRest: number;
    readonly missed: number;
  };
}

/** A run that is over. */
export interface Ended {
  readonly world: World;
  readonly machine: Machine;
  readonly plans: readonly ActorPlan[];
  readonly board: SharedArrayBuffer;
  readonly counters: Float64Array;
  readonly seconds: number;
  readonly fault: RunFault | undefined;
  readonly failure: string;
  readonly interrupted: boolean;
  readonly checkpoints: RunResult['checkpoints'];
}

/** Puts names to a run's numbers. */
export function summarize(ended: Ended): RunResult {
  const operations: Record<string, number> = {};
  let operationCount = 0;
  for (let kind = 1; kind < KIND_COUNT; kind++) {
    const count = ended.counters[kind] as number;
    if (count > 0) operations[KIND_NAMES[kind] as string] = count;
    operationCount += count;
  }
  return {
    seconds: round(ended.seconds, 3),
    operations,
    operationCount,
    operationsPerSecond: Math.round(operationCount / ended.seconds),
    retries: ended.counters[RETRIES] as number,
    findings: findingsOf(ended),
    findingsNotKept: boardOverflow(ended.board),
    fault: faultOf(ended),
    interrupted: ended.interrupted,
    checkpoints: ended.checkpoints,
  };
}

function findingsOf(ended: Ended): RunFinding[] {
  return readBoard(ended.board).map((entry) => {
    const { invariant, what, meaning } = ended.world.explain(entry.violation);
    return {
      invariant,
      what,
      meaning,
      words: [entry.wordA, entry.wordB]
        .filter((word) => word > 0)
        .map((word) => wordName(ended.machine, word)),
      actors: [ended.plans[entry.actor]?.name ?? 'checkpoint'],
      firstSeenAtSeconds: round(entry.atMs / 1000, 3),
      count: entry.count,
    };
  });
}

function faultOf({ fault, failure, machine }: Ended): FaultReport | null {
  if (fault === undefined) return null;
  return {
    kind: fault.injected && fault.kind === 'died' ? 'killed' : fault.kind,
    actors: fault.members.map((member) => member.plan.name),
    words: fault.words.filter((word) => word > 0).map((word) => wordName(machine, word)),
    atSeconds: round(fault.atMs / 1000, 3),
    injected: fault.injected,
    error: failure,
  };
}

function round(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}
