/**
 * One case of a recording, played. The steps are performed in order by their actors; what the guest
 * and Xen answer is computed, never read from the file.
 *
 * A recording leaves some inputs out: through which of two files a call went, which of two mappings
 * was unmapped, when a child ended, whether an interrupt was taken before a read or after it. Each
 * is a choice. The first alternative is what the recording's words say, or what is most usual; if
 * what was recorded cannot follow from it, the next one is tried, from the start of the case. A
 * case agrees if there are inputs from which everything that was recorded follows.
 */
import { restore } from '../shared/memory.ts';
import type { Mismatch, Seen } from './compare.ts';
import { mismatchOfDump, mismatchOfStep } from './compare.ts';
import type { GrantNames } from './dump.ts';
import { activeGrants } from './dump.ts';
import { Scene } from './scene.ts';
import { perform } from './operations/perform.ts';
import type { Dump, Recording, Step } from './recording.ts';
import type { Stand } from './machine.ts';
import { Blocked } from './stage.ts';
import { Unsupported } from './world.ts';

/** Attempts at a case, at most. */
const ATTEMPTS = 600;
/** Milliseconds that pass between two steps. */
const BETWEEN_STEPS = 20;

/** Where a case is different, or what it needs that is not there. */
export interface Place {
  readonly step: number;
  readonly actor: string;
  readonly op: string;
}

export interface Difference extends Place, Mismatch {}

export interface MissingOperation extends Place {
  readonly reason: string;
}

export interface Result {
  readonly case: string;
  readonly env: Recording['env'];
  readonly verdict: 'agree' | 'differ' | 'unsupported';
  readonly steps: number;
  readonly difference: Difference | null;
  readonly unsupported: MissingOperation | null;
}

type Outcome =
  | { readonly verdict: 'agree' }
  | { readonly verdict: 'differ'; readonly difference: Difference }
  | { readonly verdict: 'unsupported'; readonly missing: MissingOperation };

/** One step or dump, in the order in which they happened. */
type Event = { readonly step: Step } | { readonly dump: Dump };

function eventsOf(recording: Recording): Event[] {
  const after = (i: number): Event[] =>
    recording.grantDump.filter((dump) => dump.afterStep === i).map((dump) => ({ dump }));
  return [...after(-1), ...recording.steps.flatMap((step) => [{ step }, ...after(step.i)])];
}

/** The alternatives that are taken at each choice: a path of numbers. */
class Choices {
  private readonly path: number[] = [];
  private readonly counts: number[] = [];
  private at = 0;

  begin(): void {
    this.at = 0;
  }

  take(count: number): number {
    if (this.at === this.path.length) this.path.push(0);
    this.counts[this.at] = count;
    return this.path[this.at++] as number;
  }

  /** The next path, the last choice first. @returns whether there is one. */
  next(): boolean {
    this.path.length = this.at;
    this.counts.length = this.at;
    while (this.path.length > 0) {
      const last = this.path.length - 1;
      if ((this.path[last] as number) + 1 < (this.counts[last] as number)) {
        (this.path[last] as number)++;
        return true;
      }
      this.path.pop();
      this.counts.pop();
    }
    return false;
  }
}

class Attempt {
  private readonly scene: Scene;
  private readonly events: readonly Event[];
  private asserted = 0;

  constructor(stand: Stand, recording: Recording, choices: Choices) {
    restore(stand.atRest);
    this.scene = new Scene(recording, (count) => choices.take(count));
    this.events = eventsOf(recording);
  }

  run(): Outcome {
    for (const [at, event] of this.events.entries()) {
      const place = placeOf(event);
      try {
        const mismatch = 'step' in event ? this.playStep(event.step) : this.playDump(event.dump);
        const found = mismatch ?? this.assertion();
        if (found !== null) return { verdict: 'differ', difference: { ...place, ...found } };
        this.scene.afterEvent(this.events.slice(at + 1).map((next) => originOf(next)));
      } catch (error) {
        if (error instanceof Unsupported) {
          return { verdict: 'unsupported', missing: { ...place, reason: error.message } };
        }
        if (!(error instanceof Blocked)) throw error;
        const difference = { ...place, field: 'result', expected: 'returns', seen: error.message };
        return { verdict: 'differ', difference };
      }
    }
    return { verdict: 'agree' };
  }

  private playStep(step: Step): Mismatch | null {
    if (step.op === 'note') {
      this.scene.note(step);
      return null;
    }
    const seen: Seen = perform(this.scene, step);
    this.scene.guest.stage.wait(BETWEEN_STEPS);
    return mismatchOfStep(step, seen, this.scene.symbols);
  }

  private playDump(dump: Dump): Mismatch | null {
    this.scene.beforeDump(dump);
    const names: GrantNames = this.scene.names;
    return mismatchOfDump(dump, activeGrants(2, names), this.scene.symbols);
  }

  /** A warning of a kernel, which the real one would have logged. */
  private assertion(): Mismatch | null {
    const { assertions } = this.scene.guest.stage;
    const first = assertions[this.asserted];
    if (first === undefined) return null;
    this.asserted = assertions.length;
    const seen = `warning 0x${first.id.toString(16)} (${first.a}, ${first.b})`;
    return { field: 'kernelLog', expected: 'no warning', seen };
  }
}

function placeOf(event: Event): Place {
  if ('step' in event) return { step: event.step.i, actor: event.step.actor, op: event.step.op };
  return { step: event.dump.afterStep, actor: event.dump.actor, op: 'dump of active grants' };
}

/** Who does something next, and what the recording calls it. */
export interface Origin {
  readonly actor: string;
  readonly words: string;
}

function originOf(event: Event): Origin {
  if ('dump' in event) return { actor: event.dump.actor, words: event.dump.label };
  const { actor, op, args } = event.step;
  return { actor, words: op === 'note' ? String(args['text'] ?? '') : op };
}

function resultOf(recording: Recording, outcome: Outcome): Result {
  return {
    case: recording.case,
    env: recording.env,
    verdict: outcome.verdict,
    steps: recording.steps.length,
    difference: outcome.verdict === 'differ' ? outcome.difference : null,
    unsupported: outcome.verdict === 'unsupported' ? outcome.missing : null,
  };
}

/** How far an attempt came: the step of its end. */
function reached(outcome: Outcome): number {
  if (outcome.verdict === 'differ') return outcome.difference.step;
  return outcome.verdict === 'unsupported' ? outcome.missing.step : Infinity;
}

/**
 * Plays a case.
 * @param stand - a machine at rest; it is left in some other state.
 * @returns agree if some inputs give all that was recorded; else what came furthest.
 */
export function playCase(stand: Stand, recording: Recording): Result {
  const choices = new Choices();
  let best: Outcome | undefined;
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    choices.begin();
    const outcome = new Attempt(stand, recording, choices).run();
    if (outcome.verdict === 'agree') return resultOf(recording, outcome);
    if (best === undefined || reached(outcome) > reached(best)) best = outcome;
    // A step that cannot be played ends every attempt that comes so far.
    if (outcome.verdict === 'unsupported') break;
    if (!choices.next()) break;
  }
  return resultOf(recording, best as Outcome);
}
