/**
 * Sees an actor that died, failed or hangs, and names it.
 *
 * A heartbeat is the count of an actor's operations. It stands still rightly while the actor is
 * held, rests, or waits for what others must do. So an actor hangs if it runs and does not wait
 * and its heart stands still; and all hang together if everyone who asks for work waits and no
 * heart beats: a deadlock, with the words that they wait for.
 */
import { ENDED, RUNNING } from './control.ts';
import type { Member } from './crew.ts';

/** A heart that stands still for so long is dead: with the look itself, under 2 s. */
const STILL_MS = 1500;

/** What happened to an actor. */
export type FaultKind = 'died' | 'failed' | 'hangs' | 'deadlock';

export interface Fault {
  readonly kind: FaultKind;
  /** The actors it happened to. */
  readonly members: readonly Member[];
  /** Words that they wait for. */
  readonly words: readonly number[];
}

export class Watchdog {
  private readonly crew: readonly Member[];
  private readonly beats: number[];
  private readonly since: number[];

  constructor(crew: readonly Member[]) {
    this.crew = crew;
    this.beats = crew.map(() => -1);
    this.since = crew.map(() => performance.now());
  }

  /** Time spent stopped is nobody's fault. */
  forgive(stoppedMs: number): void {
    this.since.forEach((since, i) => {
      this.since[i] = since + stoppedMs;
    });
  }

  /** @returns what is wrong, undefined if nothing is. */
  look(): Fault | undefined {
    const now = performance.now();
    for (const member of this.crew) {
      if (member.exited) return { kind: 'died', members: [member], words: [] };
      if (member.state() === ENDED) return { kind: 'failed', members: [member], words: [] };
      const beat = member.operations();
      if (beat !== this.beats[member.index] || member.state() !== RUNNING) {
        this.beats[member.index] = beat;
        this.since[member.index] = now;
      }
    }
    const still = this.crew.filter(({ index }) => now - (this.since[index] as number) > STILL_MS);
    const hung = still.filter((member) => member.waits() === 0);
    if (hung.length > 0) return { kind: 'hangs', members: hung, words: [] };
    const askers = this.crew.filter((member) => member.plan.restsAs === 0);
    if (askers.length > 0 && still.length === this.crew.length) {
      return { kind: 'deadlock', members: askers, words: askers.map((member) => member.waits()) };
    }
    return undefined;
  }
}
