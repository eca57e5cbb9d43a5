/**
 * The words through which a run is steered: a thread that runs simulated code answers no
 * messages, so whoever wants something of it stores a request here and looks at the state.
 *
 * Stopping an actor: 1. the controller sets a bit of `request`. 2. the actor sees it before its
 * next operation, stores `state` and sleeps on `request`. 3. the controller reads `state`.
 * Going on: 1. the controller clears the bit and notifies. 2. the actor stores RUNNING.
 * An actor that begins a slice stores RUNNING before it reads `request`, and a controller stores
 * `request` before it reads `state`: one of the two sees the other.
 */
import type { Machine } from '../shared/layout.ts';
import { defineTable } from '../shared/table.ts';

export const Control = defineTable(
  'actor[%]',
  ['actors'],
  {
    request: '[RUN] PAUSE, BARRIER, REST, STOP: what is asked of the actor',
    state: '[ACTOR] IDLE, RUNNING, HELD, RESTING, ENDED',
    waits: '[ACTOR] word that the actor sleeps for; 0 while it does not',
    iterations: '[ACTOR] finished iterations of its program',
  },
  { lineAligned: true },
);

export const Run = defineTable(
  'run',
  [],
  {
    zero: '[NOBODY] 0 for ever: stands for the words that an actor does not have',
    sleepers: '[ACTOR] threads that sleep in a wait',
  },
  { lineAligned: true },
);

/** The tables that the harness adds to a world's. */
export const threadsTables = [Control, Run];

/** Stop before the next operation, because a user wants it. */
export const PAUSE = 1;
/** Stop before the next operation, for a checkpoint. */
export const BARRIER = 2;
/** Stop after this iteration. */
export const REST = 4;
/** Leave the program for good. */
export const STOP = 8;

/** Not in its program: not started yet, or between two slices. */
export const IDLE = 0;
export const RUNNING = 1;
/** Stopped before an operation. */
export const HELD = 2;
/** Stopped between two iterations. */
export const RESTING = 3;
/** Has left its program. */
export const ENDED = 4;

export const STATE_NAMES: readonly string[] = ['idle', 'running', 'held', 'resting', 'ended'];

/** Sets bits of an actor's request. */
export function ask(machine: Machine, actor: number, bits: number): void {
  Atomics.or(machine.words, Control.request.at(actor), bits);
}

/** Clears bits of an actor's request and wakes it. */
export function release(machine: Machine, actor: number, bits: number): void {
  const word = Control.request.at(actor);
  Atomics.and(machine.words, word, ~bits);
  Atomics.notify(machine.words, word);
}

export function stateOf(machine: Machine, actor: number): number {
  return Atomics.load(machine.words, Control.state.at(actor));
}

/** Does the actor perform no operation now, and none until its request is cleared? */
export function isStopped(machine: Machine, actor: number): boolean {
  return stateOf(machine, actor) !== RUNNING;
}
