/**
 * The corpus and fuzzed programs as casts for lockstep: every actor's thread makes its own from
 * this module.
 */
import { decodeProgram } from '../src/corpus/fuzz/codec.ts';
import { FUZZ_PREFIX, fuzzRace } from '../src/corpus/fuzz/posed.ts';
import { fuzzTables } from '../src/corpus/fuzz/tables.ts';
import { raceActors, raceConfig, raceTables } from '../src/corpus/posed.ts';
import type { Race } from '../src/corpus/race.ts';
import { variantOf } from '../src/corpus/race.ts';
import { races } from '../src/corpus/races.ts';
import { oracleDefaults, oracleTables } from '../src/oracle/shadow.ts';
import { install } from '../src/shared/override.ts';
import type { AnyTable, Config } from '../src/shared/table.ts';
import type { Cast, CastOptions } from '../src/threads/cast.ts';

/** What a scenario poses. @param scenario - `race/NAME` or `fuzz/PROGRAM`. */
function posed(scenario: string): { readonly race: Race; readonly tables: readonly AnyTable[] } {
  if (scenario.startsWith(FUZZ_PREFIX)) {
    const program = decodeProgram(scenario.slice(FUZZ_PREFIX.length));
    return { race: fuzzRace(program), tables: fuzzTables };
  }
  const race = races.find(({ name }) => `race/${name}` === scenario);
  if (race === undefined) throw new RangeError(`no race called ${scenario}`);
  return { race, tables: [] };
}

/** @param options - the scenario and the design. */
export function createCast({ scenario, design }: CastOptions): Cast {
  const { race, tables } = posed(scenario);
  install(variantOf(race, design).overrides);
  const config: Config = { ...raceConfig(race, design), ...oracleDefaults };
  return {
    tables: [...raceTables, ...tables, ...oracleTables],
    config,
    actors: () => raceActors(race, config),
  };
}
