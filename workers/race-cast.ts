/** The corpus as casts for lockstep: every actor's thread makes its own from this module. */
import { raceActors, raceConfig, raceTables } from '../src/corpus/posed.ts';
import { variantOf } from '../src/corpus/race.ts';
import { races } from '../src/corpus/races.ts';
import { oracleDefaults, oracleTables } from '../src/oracle/shadow.ts';
import { install } from '../src/shared/override.ts';
import type { Config } from '../src/shared/table.ts';
import type { Cast, CastOptions } from '../src/threads/cast.ts';

/** @param options - the scenario, `race/NAME`, and the design. */
export function createCast({ scenario, design }: CastOptions): Cast {
  const race = races.find(({ name }) => `race/${name}` === scenario);
  if (race === undefined) throw new RangeError(`no race called ${scenario}`);
  install(variantOf(race, design).overrides);
  const config: Config = { ...raceConfig(race, design), ...oracleDefaults };
  return {
    tables: [...raceTables, ...oracleTables],
    config,
    actors: () => raceActors(race, config),
  };
}
