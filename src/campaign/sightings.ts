/**
 * Gathers what breaks in many executions: all that breaks alike is told once, with the seed of the
 * first and how often it was seen. Telling two races of one kind apart needs their code places, for
 * which an execution is replayed and narrated, so only the first few of a kind are looked at.
 */
import type { CheckOptions } from '../explore/check.ts';
import { findingOf } from '../explore/check.ts';
import type { Fibers } from '../explore/fibers.ts';
import type { Complaint, Finding } from '../explore/finding.ts';
import type { Schedule } from '../explore/replay.ts';
import { kernelMeaning } from '../decode/meaning.ts';
import { placesOf } from '../report/places.ts';
import { recordOf } from '../report/record.ts';
import { coarseKey } from './fuzz/run-program.ts';
import type { Sighting } from './work.ts';

/** Executions of a kind whose code places are looked at. */
const LOOKS = 4;
/** Kinds that are kept apart; a scenario that breaks in more ways is broken enough. */
const MOST_KINDS = 64;

interface Kind {
  looks: number;
  /** Fingerprint of the first one. */
  first: string;
}

export class Sightings {
  private readonly kinds = new Map<string, Kind>();
  private readonly sightings = new Map<string, Sighting>();
  private readonly options: CheckOptions;
  private readonly pending: { readonly finding: Finding; readonly kind: string }[] = [];
  private readonly unseen = new Map<string, number>();

  constructor(options: CheckOptions) {
    this.options = options;
  }

  /** An execution broke, and its schedule is still there. */
  note(complaint: Complaint, fibers: Fibers): void {
    const key = coarseKey(complaint);
    let kind = this.kinds.get(key);
    if (kind === undefined) {
      if (this.kinds.size === MOST_KINDS) return;
      kind = { looks: 0, first: '' };
      this.kinds.set(key, kind);
    }
    if (kind.looks < LOOKS) {
      kind.looks++;
      this.pending.push({ finding: findingOf(this.options, fibers, complaint), kind: key });
    } else {
      this.unseen.set(key, (this.unseen.get(key) ?? 0) + 1);
    }
  }

  /** All of them. Replays executions, so no others may be under way. */
  list(): Sighting[] {
    for (const { finding, kind } of this.pending) this.look(finding, kind);
    for (const [key, times] of this.unseen) {
      this.count((this.kinds.get(key) as Kind).first, times);
    }
    return [...this.sightings.values()];
  }

  private look(finding: Finding, key: string): void {
    const sighting = sightingOf(this.options, finding);
    const kind = this.kinds.get(key) as Kind;
    if (kind.first === '') kind.first = sighting.fingerprint;
    if (this.sightings.has(sighting.fingerprint)) this.count(sighting.fingerprint, 1);
    else this.sightings.set(sighting.fingerprint, sighting);
  }

  private count(fingerprint: string, times: number): void {
    const known = this.sightings.get(fingerprint) as Sighting;
    this.sightings.set(fingerprint, { ...known, times: known.times + times });
  }
}

const TOOL = { version: '', code: null, commit: null, runtime: '' };

/** What a finding of a program looks like once. Replays it. */
export function sightingOf(
  options: CheckOptions,
  finding: Complaint & Schedule & { readonly seed: string },
): Sighting {
  const { subject = {}, memory = 'sc', strategy = '' } = options;
  const { invariant, message, words, seed } = finding;
  const { scenario = 'check', design = '', param = 0 } = subject;
  const about = { scenario, design, param, memory, strategy, seed, replay: '' };
  const meaning = kernelMeaning(options.machine);
  const how = { tool: TOOL, subject: about, meaning, stats: null };
  const race = recordOf(options, finding, placesOf, how);
  return {
    scenario,
    design,
    memory,
    fingerprint: race.fingerprint ?? coarseKey(finding),
    invariant,
    message,
    words,
    seed,
    steps: finding.schedule.length,
    preemptions: race.preemptions,
    times: 1,
  };
}
