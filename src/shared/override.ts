/**
 * Historic versions of single functions. The simulated code is today's; a race of the past brings
 * the function as it was, and a machine of that time runs with it. Nothing in today's code knows.
 *
 * `replaces(today, historic)` in src/corpus names such a pair. The build (build/replaceable.mjs)
 * finds these pairs and makes each function that is named a binding that can be set: importers and
 * the module itself call whatever the binding holds. All other functions stay constants.
 */

/** Simulated functions differ in their parameters only. */
type AnyFunction = (...parameters: never[]) => unknown;

/** A function of today, and what it was before its fix. */
export interface Override {
  readonly today: AnyFunction;
  readonly historic: AnyFunction;
}

const setters = new Map<AnyFunction, (by: AnyFunction) => void>();
let installed: readonly Override[] = [];

/** Called by modules that the build has changed. @param set - sets the binding of `today`. */
export function replaceable<F extends AnyFunction>(today: F, set: (by: F) => void): void {
  setters.set(today, set as (by: AnyFunction) => void);
}

/** A pair for a race of the past; both have the same parameters and result. */
export function replaces<F extends AnyFunction>(today: F, historic: NoInfer<F>): Override {
  return { today, historic };
}

/** From now on these functions are as they were, and all others are as they are today. */
export function install(overrides: readonly Override[]): void {
  if (overrides === installed) return;
  for (const { today } of installed) setterOf(today)(today);
  for (const { today, historic } of overrides) setterOf(today)(historic);
  installed = overrides;
}

function setterOf(today: AnyFunction): (by: AnyFunction) => void {
  const set = setters.get(today);
  if (set === undefined) {
    throw new Error(`${today.name} was not built to be replaced: is it named in replaces()?`);
  }
  return set;
}
