/** The rooms whose generator functions are simulated code. */
export const simulatedRooms = [
  'src/shared',
  'src/hardware',
  'src/xen',
  'src/linux',
  'src/actors',
  'src/corpus',
  'src/programs',
];

/** Loops over simulated code that the benchmarks run, in the dialect, stripped like the rooms. */
export const benchLoops = ['bench/loops'];

/** Simulated code that tests run on threads: built into every edition like the rooms. */
export const testWorlds = ['test/threads/worlds'];

/**
 * The machinery below the simulated code: what tables and operations are made of. It may touch
 * Atomics, keep the attached machine in a module variable, and use all of TypeScript.
 */
export const machinery = [
  'engine',
  'kinds',
  'layout',
  'memory',
  'observer',
  'op',
  'operations',
  'override',
  'processor',
  'table',
  'turn',
].map((stem) => `src/shared/${stem}`);

/** @returns is this file part of the machinery, in any edition? */
export function isMachinery(path) {
  return machinery.includes(path.replace(/(\.(threads|lockstep))?(\.d)?\.ts$/, ''));
}
