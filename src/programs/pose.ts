/** From a program and its parameter to a machine and actors that can be run. */
import type { Machine } from '../shared/layout.ts';
import { createMachine } from '../shared/layout.ts';
import { runAlone } from '../shared/operations.ts';
import type { Program, ProgramActor } from './program.ts';

/** A program of one size; its machine is attached and holds the initial values. */
export interface PosedProgram {
  readonly program: Program;
  readonly n: number;
  readonly machine: Machine;
  readonly actors: readonly ProgramActor[];
  readonly final: () => string | null;
}

/** Makes the machine of a program and writes its initial values. */
export function pose(program: Program, n = program.param.usual): PosedProgram {
  if (!Number.isInteger(n) || n < program.param.least) {
    throw new RangeError(
      `${program.name} needs a whole number of at least ${program.param.least}, not ${n}`,
    );
  }
  const machine = createMachine(program.tables, program.config(n));
  const setup = program.setup?.(n);
  if (setup !== undefined) runAlone(setup);
  return {
    program,
    n,
    machine,
    actors: program.actors(n),
    final: () => {
      const wrong = program.final?.(n) ?? null;
      return wrong === null ? null : `outcome: ${wrong}`;
    },
  };
}
