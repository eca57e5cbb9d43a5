/** A workload under controlled scheduling, with the oracle watching: what the tests here share. */
import { buildMachine, machineConfig, tinySizes } from '../../src/actors/machine.ts';
import { workloadActors, workloadFibers } from '../../src/actors/workload.ts';
import type { CheckResult } from '../../src/explore/check.ts';
import { check } from '../../src/explore/check.ts';
import { checkHandles } from '../../src/oracle/invariants/handles.ts';
import { checkPins } from '../../src/oracle/invariants/pins.ts';
import { createOracle } from '../../src/oracle/oracle.ts';
import { oracleDefaults, oracleTables } from '../../src/oracle/shadow.ts';
import { explain } from '../../src/oracle/violation.ts';
import type { Config } from '../../src/shared/table.ts';
import { isAtRest } from '../../src/actors/workload-rest.ts';

export interface Exploration {
  readonly workload: string;
  readonly sizes: Config;
  readonly turns: number;
  readonly executions: number;
  readonly memory?: 'sc' | 'tso';
  readonly seed?: number;
  /** Looks at the machine after each execution. */
  readonly look?: () => void;
}

/** Random schedules of a workload on a tiny machine. */
export function exploreWorkload(exploration: Exploration): CheckResult {
  const { workload } = exploration;
  const sizes = { ...tinySizes, ...oracleDefaults, ...exploration.sizes };
  const machine = buildMachine(workload, sizes, oracleTables);
  const actors = workloadActors(workload, machineConfig(sizes));
  const fibers = workloadFibers(actors, exploration.turns);
  const who = fibers.map(({ interrupts }, i) => {
    const actor = actors[interrupts === undefined ? i : interrupts.actor];
    if (actor === undefined) throw new RangeError('an interrupt of nobody');
    return { vcpu: actor.vcpu, domid: actor.domid, device: actor.kind === 'device' };
  });
  let found: string | null = null;
  const report = (_actor: number, violation: number): void => {
    found ??= explain(violation).what;
  };
  return check({
    machine,
    actors: fibers,
    observer: createOracle(machine, who, report),
    setup: () => {
      found = null;
    },
    invariant: () => found,
    final: () => {
      exploration.look?.();
      if (!isAtRest()) return 'work was left over';
      checkHandles(true, report);
      checkPins(report);
      return found;
    },
    strategy: 'random',
    memory: exploration.memory ?? 'sc',
    executions: exploration.executions,
    seed: exploration.seed ?? 1,
  });
}
