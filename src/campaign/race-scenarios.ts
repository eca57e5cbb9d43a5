/**
 * The corpus as scenarios: each race on a tiny machine of each design, watched by the oracle.
 */
import { bootDomains } from '../actors/boot.ts';
import { bringOnline, raceActors, raceConfig, raceTables } from '../corpus/posed.ts';
import type { Race } from '../corpus/race.ts';
import { variantOf } from '../corpus/race.ts';
import { races } from '../corpus/races.ts';
import type { PreparedScenario, Scenario } from '../explore/scenario.ts';
import { bootHardware } from '../hardware/tables.ts';
import { bootLinuxParams } from '../linux/tables.ts';
import { checkAtRest, nothingDeferred } from '../oracle/at-rest.ts';
import { createOracle } from '../oracle/oracle.ts';
import { oracleDefaults, oracleTables } from '../oracle/shadow.ts';
import type { Report } from '../oracle/violation.ts';
import { SoloEngine } from '../shared/engine.ts';
import { createMachine } from '../shared/layout.ts';
import { runAlone } from '../shared/operations.ts';
import { install } from '../shared/override.ts';
import type { AnyTable, Config } from '../shared/table.ts';
import { bootXen } from '../xen/tables.ts';
import { FindingSlot } from './finding-slot.ts';

/** What a race brings beside those of the corpus. */
export interface RaceExtras {
  /** Tables of its own. */
  readonly tables?: readonly AnyTable[];
  /** Writes what the race is to find, before it is arranged. */
  readonly atStart?: () => void;
  /** Looks at the machine when an execution is complete. */
  readonly atEnd?: (report: Report) => void;
}

/** Makes the machine of a race, arranges it and puts the oracle in place. */
export function prepareRace(race: Race, design: string, extras: RaceExtras = {}): PreparedScenario {
  const { tables = [], atStart, atEnd } = extras;
  const { overrides } = variantOf(race, design);
  install(overrides);
  const config: Config = { ...raceConfig(race, design), ...oracleDefaults };
  const machine = createMachine([...raceTables, ...tables, ...oracleTables], config);
  bootHardware(config);
  bootXen(config);
  bootLinuxParams(config);
  bootDomains(config);
  const actors = raceActors(race, config);
  const slot = new FindingSlot(machine);
  const perDomain = config['vcpusPerDomain'] ?? 1;
  const owners = actors.map(({ vcpu, hardware }) => ({
    vcpu: hardware === undefined ? vcpu : -1,
    domid: Math.floor(vcpu / perDomain),
    device: hardware === 'device',
  }));
  const observer = createOracle(machine, owners, slot.report);
  // Nobody answers a flush while the machine is arranged, and nobody's TLB holds anything yet.
  bringOnline([], config['vcpus'] ?? 0);
  atStart?.();
  runAlone(race.arrange(), new SoloEngine(observer, machine.watchedFrom));
  bringOnline(actors, config['vcpus'] ?? 0);
  return {
    machine,
    actors,
    observer,
    setup: () => {
      install(overrides);
      slot.clear();
    },
    invariant: () => slot.get(),
    final: () => {
      if (nothingDeferred()) checkAtRest(slot.report);
      atEnd?.(slot.report);
      return slot.get();
    },
  };
}

/** Every race of the corpus as a scenario. */
export const raceScenarios: readonly Scenario[] = races.map((race) => ({
  name: `race/${race.name}`,
  about: race.about,
  designs: race.designs,
  prepare: ({ design }) => prepareRace(race, design),
}));
