/** Counts the executions of a program; what its threads do to each other does not matter. */
import type { CheckResult } from '../../src/explore/check.ts';
import { check } from '../../src/explore/check.ts';
import { programOf } from '../../src/programs/catalogue.ts';
import type { PosedProgram } from '../../src/programs/pose.ts';
import { pose } from '../../src/programs/pose.ts';

/** A program of the catalogue, of size n, ready to run. */
export function posed(name: string, n?: number): PosedProgram {
  const program = programOf(name);
  if (program === undefined) throw new RangeError(`no program ${name}`);
  return pose(program, n);
}

/** Explores all executions of a program. */
export function explored(
  name: string,
  n: number,
  strategy: 'dpor' | 'optimal',
  memory: 'sc' | 'tso',
): CheckResult {
  const { machine, actors } = posed(name, n);
  return check({ machine, actors, strategy, memory, executions: Number.MAX_SAFE_INTEGER });
}

/** Program, parameter, complete executions under SC, and under TSO if they differ. */
export type Count = readonly [name: string, n: number, sc: number, tso?: number];

/** Checks one row of published counts under one strategy and memory model. */
export function countOf(
  [name, n]: Count,
  strategy: 'dpor' | 'optimal',
  memory: 'sc' | 'tso',
): string {
  const result = explored(name, n, strategy, memory);
  const blocked = strategy === 'optimal' ? `, ${result.blocked} blocked` : '';
  return `${result.executions} executions${blocked}, ${result.verdict}`;
}

/** What `countOf` must say. */
export function published(
  [, , sc, tso = sc]: Count,
  strategy: 'dpor' | 'optimal',
  memory: 'sc' | 'tso',
): string {
  const blocked = strategy === 'optimal' ? ', 0 blocked' : '';
  return `${memory === 'sc' ? sc : tso} executions${blocked}, safe`;
}
