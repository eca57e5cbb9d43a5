/** The programs as casts for lockstep: every actor's thread makes its own from this module. */
import type { AnyTable, Config } from '../shared/table.ts';
import { programOf } from './catalogue.ts';
import type { ProgramActor } from './program.ts';

/** What runs on whose memory. */
export interface ProgramCast {
  readonly tables: readonly AnyTable[];
  readonly config: Config;
  /** Asked once the machine is attached. */
  actors(): readonly ProgramActor[];
}

/** @param options - the scenario, `program/NAME`, and its parameter. */
export function createCast(options: {
  readonly scenario: string;
  readonly param: number;
}): ProgramCast {
  const { scenario, param } = options;
  const program = programOf(scenario.replace(/^program\//, ''));
  if (program === undefined) throw new RangeError(`no program called ${scenario}`);
  return {
    tables: program.tables,
    config: program.config(param),
    actors: () => program.actors(param),
  };
}
