/** Records what fibers do, step by step, in the form of the lockstep log. */
import type { Actor } from '../../src/explore/actor.ts';
import { Fibers } from '../../src/explore/fibers.ts';
import { makeStrategy } from '../../src/explore/strategies/index.ts';
import { CHOOSE } from '../../src/shared/kinds.ts';

export interface Recorded {
  readonly schedule: Int32Array;
  readonly choices: readonly number[];
  /** Per step: process, kind, word, result. */
  readonly log: readonly number[];
  /** The words at the end. */
  readonly words: Int32Array;
}

/** Runs one random execution; the words are put back afterwards. */
export function record(
  actors: readonly Actor[],
  memory: 'sc' | 'tso',
  seed: number,
  words: Int32Array,
): Recorded {
  const strategy = makeStrategy('random', { seed });
  const log: number[] = [];
  const fibers = new Fibers(
    {
      actors,
      memory,
      observer: null,
      watchedFrom: 0x7fffffff,
      maxSteps: 400,
      setup: null,
      invariant: null,
    },
    strategy,
  );
  const { model, pending } = fibers;
  const perform = model.perform.bind(model);
  model.perform = (actor) => {
    const result = perform(actor);
    log.push(actor, pending.kind[actor]!, pending.word[actor]!, result);
    return result;
  };
  const flush = model.flush.bind(model);
  model.flush = (buffer) => {
    const actor = flush(buffer);
    log.push(actors.length + buffer, model.flushedKind, model.touched, words[model.touched]!);
    return actor;
  };
  fibers.run();
  let taken = 0;
  for (let at = 0; at < log.length; at += 4) {
    if (log[at + 1] === CHOOSE && log[at]! < actors.length) log[at + 3] = fibers.choices[taken++]!;
  }
  const recorded = {
    schedule: fibers.schedule.slice(0, fibers.steps),
    choices: [...fibers.choices],
    log,
    words: words.slice(),
  };
  fibers.rewind();
  return recorded;
}
