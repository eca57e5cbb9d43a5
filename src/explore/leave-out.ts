/**
 * Leaving actors out of a program: they end at once, without an operation. Everybody keeps their
 * number, so schedules stay what they are.
 */
import type { CheckOptions } from './check.ts';

/**
 * @param without - numbers of actors.
 * @returns the program without them; its seeds name them.
 */
export function leaveOut(options: CheckOptions, without: readonly number[]): CheckOptions {
  if (without.length === 0) return options;
  const actors = options.actors.map((actor, i) =>
    without.includes(i) ? { ...actor, body: rest } : actor,
  );
  return { ...options, actors, subject: { ...options.subject, without } };
}

// oxlint-disable-next-line require-yield -- an actor that does nothing
function* rest(): Generator<undefined, void, undefined> {}
