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
import { SLEEPER_SLOTS } from '../shared/processor.ts';
import type { AnyTable, Config } from '../shared/table.ts';
import { defineTable } from '../shared/table.ts';
import type { World } from './world.ts';

export const Control = defineTable(
  'actor[%]',
  ['actors'],
  {
    request: '[RUN] PAUSE, BARRIER, REST, STOP: what is asked of the actor',
    state: '[ACTOR] IDLE, RUNNING, HELD, RESTING, ENDED',
    waits: '[ACTOR] word that the actor waits for, once it has slept for it; 0 otherwise',
    asleep: '[ACTOR] 1 while the actor sleeps in a wait, 2 while its interrupts are handled there',
    fence: '[ACTOR] never looked at: a locked operation on it is a barrier',
    iterations: '[ACTOR] finished iterations of its program',
  },
  { lineAligned: true },
);

export const Run = defineTable(
  'run',
  [],
  {
    zero: '[NOBODY] 0 for ever: stands for the words that an actor does not have',
  },
  { lineAligned: true },
);

export const Sleepers = defineTable('run.sleepers[%]', ['sleeperSlots'], {
  value: '[ACTOR] threads that sleep for a word that counts here',
});

const tables = [Control, Run, Sleepers];

/** A world's tables and the harness's. */
export function runTables(world: World): readonly AnyTable[] {
  return [...world.tables, ...tables];
}

/** A world's sizes and the harness's. */
export function runConfig(world: World, actors: number): Config {
  return { ...world.config, actors, sleeperSlots: SLEEPER_SLOTS };
}

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

/**
 * Does the actor perform no operation now, and none until its request is cleared? One that sleeps
 * in a wait looks at its request before it goes on. Its interrupts may be handled by others, so
 * the world stands still when nobody runs.
 */
export function isStopped(machine: Machine, actor: number): boolean {
  if (stateOf(machine, actor) !== RUNNING) return true;
  return Atomics.load(machine.words, Control.asleep.at(actor)) === 1;
}
