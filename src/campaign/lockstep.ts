/**
 * Fibers against lockstep, many schedules at a time: each is drawn in fibers by a random strategy,
 * then followed on real worker threads, and every operation and value must be the same.
 */
import type { MemoryName } from '../explore/fibers.ts';
import { fibersFor } from '../explore/check.ts';
import type { PreparedScenario, Scenario } from '../explore/scenario.ts';
import type { StrategyName } from '../explore/strategies/index.ts';
import { makeStrategy } from '../explore/strategies/index.ts';
import { Recording } from '../explore/trace.ts';
import { LockstepCrew } from '../threads/lockstep.ts';

const STRATEGIES: readonly StrategyName[] = ['random', 'pct', 'pos', 'surw'];
const MEMORIES: readonly MemoryName[] = ['sc', 'tso'];
/** Schedules longer than this are cut: their beginning is compared. */
const MOST_STEPS = 5000;
/** Programs can have a hundred actors, and each is a thread. */
const LARGEST = 4;

/** A scenario with one of its designs; an empty one if it has none. */
export interface Pairing {
  readonly scenario: Scenario;
  readonly design: string;
  /** The module that gives its actors to threads. */
  readonly module: string;
}

export interface Agreement {
  schedules: number;
  steps: number;
  /** The first schedules on which they disagree: whose, and where. */
  readonly differences: string[];
}

/**
 * Compares schedules of all pairings, SC and TSO in turns.
 * @param seeds - schedules in all, numbered from 1.
 * @param goOn - told of every pairing before it begins; false ends the campaign.
 */
export async function compareInLockstep(
  pairings: readonly Pairing[],
  seeds: number,
  goOn: (pairing: Pairing, sofar: Agreement) => boolean,
): Promise<Agreement> {
  const agreement: Agreement = { schedules: 0, steps: 0, differences: [] };
  for (const [i, pairing] of pairings.entries()) {
    const from = Math.floor((i * seeds) / pairings.length);
    const to = Math.floor(((i + 1) * seeds) / pairings.length);
    if (from === to) continue;
    if (!goOn(pairing, agreement)) break;
    await comparePairing(pairing, from + 1, to, agreement);
  }
  return agreement;
}

async function comparePairing(
  { scenario, design, module }: Pairing,
  first: number,
  last: number,
  agreement: Agreement,
): Promise<void> {
  const { least, usual } = scenario.param ?? { least: 0, usual: 0 };
  const param = Math.max(least, Math.min(usual, LARGEST));
  const prepared = scenario.prepare({ design, param });
  const { machine, actors } = prepared;
  const cast = { scenario: scenario.name, design, param };
  const crew = new LockstepCrew(machine, module, cast, actors.length);
  const initial = machine.words.slice();
  try {
    for (let seed = first; seed <= last; seed++) {
      const memory = MEMORIES[seed % MEMORIES.length] as MemoryName;
      const strategy = STRATEGIES[(seed >> 1) % STRATEGIES.length] as StrategyName;
      machine.words.set(initial);
      const difference = await compareOne(prepared, crew, { memory, strategy, seed }, agreement);
      if (difference === '') continue;
      const what = `${scenario.name}${design === '' ? '' : ` ${design}`}`;
      agreement.differences.push(`${what}, ${memory}, ${strategy}, seed ${seed}: ${difference}`);
    }
  } finally {
    await crew.close();
    machine.words.set(initial);
  }
}

interface How {
  readonly memory: MemoryName;
  readonly strategy: StrategyName;
  readonly seed: number;
}

/** @returns where fibers and threads differ in one schedule; empty if nowhere. */
async function compareOne(
  prepared: PreparedScenario,
  crew: LockstepCrew,
  { memory, strategy, seed }: How,
  agreement: Agreement,
): Promise<string> {
  const recording = new Recording(makeStrategy(strategy, { seed, first: seed }));
  const fibers = fibersFor({ ...prepared, memory, maxSteps: MOST_STEPS }, recording);
  fibers.run();
  const schedule = fibers.schedule.slice(0, fibers.steps);
  const choices = [...fibers.choices];
  fibers.rewind();
  const { log, problem, steps } = await crew.run({ schedule, choices, memory });
  agreement.schedules++;
  agreement.steps += steps;
  const expected = recording.trace.flat();
  for (let at = 0; at < Math.min(log.length, expected.length); at++) {
    if (log[at] !== expected[at]) return `step ${(at >> 2) + 1} differs`;
  }
  if (problem !== '') return problem;
  if (log.length === expected.length) return '';
  return `${expected.length >> 2} steps in fibers, ${log.length >> 2} on threads`;
}
