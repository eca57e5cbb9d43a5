/**
 * The lookups as JavaScript (docs/compiled-kernels.md): the text that the build made, with this
 * machine's numbers in place of their names. The engine then sees constants, as it does in the
 * WebAssembly module; what is atomic is called there.
 */
import { readFileSync } from 'node:fs';
import type { Machine } from '../src/shared/layout.ts';

/** Looks keys up. @param keys - word of the first. @returns the sum of the results. */
export type Run = (keys: number, count: number) => number;

/** A lookup in JavaScript, as one vCPU runs it. */
export interface Script {
  readonly loop: Run;
  /** In batches of 16, where there are any; else the loop. */
  readonly batch: Run;
  /** Lookups that had to look again so far. */
  retries(): number;
  /** Assertions of the simulated kernel that failed so far. */
  bugs(): number;
}

const NAME = /[A-Za-z_$][\w$]*/g;

/**
 * @param script - the text. @param numbers - of the machine and the vCPU, by name.
 * @param compiled - exports of the module over the same memory.
 */
export function loadScript(
  script: URL,
  machine: Machine,
  numbers: ReadonlyMap<string, number>,
  compiled: Readonly<Record<string, unknown>>,
): Script {
  const text = readFileSync(script, 'utf8');
  const body = text.replace(NAME, (name) => String(numbers.get(name) ?? name));
  // oxlint-disable-next-line typescript/no-implied-eval
  const make = new Function('words', 'compiled', `const $mem = words;\n${body}`) as (
    words: Int32Array,
    exports: Readonly<Record<string, unknown>>,
  ) => Script;
  return make(machine.words, compiled);
}
