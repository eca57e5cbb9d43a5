/** Makes the record of a narrated execution. */
import type { CheckOptions } from '../explore/check.ts';
import { INSERTS, LOCAL, READS, READS_OWN, WRITES } from '../explore/model.ts';
import type { Complaint } from '../explore/finding.ts';
import type { Schedule } from '../explore/replay.ts';
import {
  ACQUIRE_WHEN,
  AWAIT_EQUAL,
  AWAIT_NOT_EQUAL,
  CHOOSE,
  CMPXCHG,
  KIND_NAMES,
  XCHG,
} from '../shared/kinds.ts';
import { changes, decidingPair, sharedWords } from './conflict.ts';
import { edgesOf, isOrdered } from './edges.ts';
import { fingerprintOf } from './fingerprint.ts';
import type { Meaning } from './meaning.ts';
import { narrate } from './narrate.ts';
import type { NarratedNote, NarratedStep, Narration, Switch } from './narrate.ts';
import type { Locate, Place } from './places.ts';
import type {
  Effect,
  RaceActor,
  RaceKind,
  RaceRecord,
  RaceStats,
  RaceStep,
  RaceSubject,
  RaceSwitch,
  RaceTool,
  RaceWait,
} from './race.ts';
import { RACE_SCHEMA } from './race.ts';
import { holderOf, loopAtEnd } from './stuck.ts';
import { Words, wordNamed } from './words.ts';

/** What a record says beside the execution. */
export interface RecordContext {
  readonly tool: RaceTool;
  readonly subject: RaceSubject;
  readonly meaning: Meaning;
  readonly stats: RaceStats | null;
}

const EFFECTS: Readonly<Record<number, Effect>> = {
  [LOCAL]: 'none',
  [INSERTS]: 'buffers',
  [READS_OWN]: 'own',
  [READS]: 'reads',
  [WRITES]: 'writes',
};

/** Operands that the values before and after do not tell, by kind. */
const OPERANDS: Readonly<Record<number, number>> = {
  [CMPXCHG]: 2,
  [XCHG]: 1,
  [AWAIT_EQUAL]: 2,
  [AWAIT_NOT_EQUAL]: 2,
  [ACQUIRE_WHEN]: 3,
  [CHOOSE]: 1,
};

/**
 * Replays a schedule and makes its record.
 * @param options - the attached program. @param schedule - of a seed of this program.
 * @throws DivergedError if the schedule does not fit the program.
 */
export function recordOf(
  options: CheckOptions,
  schedule: Schedule,
  locate: Locate,
  context: RecordContext,
): RaceRecord {
  return raceRecord(options, narrate(options, schedule, locate), context);
}

/** Makes the record of an execution that was written down. */
export function raceRecord(
  options: Pick<CheckOptions, 'actors' | 'machine'>,
  narration: Narration,
  { tool, subject, meaning, stats }: RecordContext,
): RaceRecord {
  const { machine, actors } = options;
  const { steps, switches, complaint, preemptions, initial } = narration;
  const words = new Words(machine, meaning, initial);
  const stacks = new Stacks();
  const meets = sharedWords(steps);
  for (const { word } of steps) words.of(word);
  const shown = (complaint?.words ?? []).flatMap((name) => wordNamed(machine, name) || []);
  const named = new Set(shown);
  const shows = shown.map((word) => lastSeen(word, narration, words));
  const notes = notesByStep(narration.notes, meaning);
  const raceSteps = steps.map((step, i): RaceStep => {
    const { word, enabled } = step;
    const matters = meets.has(word) || (changes(step) && named.has(word));
    const note = notes.get(i);
    return {
      ...performed(step, words, stacks),
      matters: word !== 0 && matters,
      ...(enabled !== steps[i - 1]?.enabled && { enabled }),
      ...(note !== undefined && { notes: note }),
    };
  });
  const waits = complaint?.invariant === 'deadlock' ? waitsOf(narration, words, stacks) : [];
  const livelock = complaint?.invariant === 'livelock';
  const decides = complaint !== null && waits.length === 0 && !livelock;
  const conflict = decides ? decidingPair(steps, meets, named) : null;
  const interrupted = actors.map(({ interrupts }) => interrupts?.word ?? -1);
  const edges = edgesOf(steps, switches, {
    isLock: (word) => words.objects[words.of(word)]?.lock !== null,
    idleWords: interrupted,
  });
  words.completeRecords();
  words.markUnseen(narration.final, lastValues(steps));
  const race: RaceRecord = {
    schema: RACE_SCHEMA,
    tool,
    ...subject,
    abi: (machine.abiHash >>> 0).toString(16).padStart(8, '0'),
    config: machine.config,
    verdict: complaint === null ? 'safe' : 'broken',
    kind: complaint === null ? null : kindOf(complaint.invariant),
    invariant: complaint?.invariant ?? null,
    message: complaint === null ? null : messageOf(complaint.message, waits, words, actors),
    rule: complaint === null ? null : ruleOf(complaint, meaning),
    words: complaint?.words ?? [],
    shows,
    fingerprint: null,
    actors: actors.map(actorOf),
    kinds: KIND_NAMES,
    objects: words.objects,
    places: stacks.places,
    stacks: stacks.stacks,
    steps: raceSteps,
    switches: switches.map((turn) => switchOf(turn, narration, words)),
    edges,
    preemptions,
    conflict,
    ordered: conflict === null ? null : isOrdered({ steps, edges, actors }, ...conflict),
    waits,
    loop: livelock ? loopAtEnd(steps) : null,
    stats,
  };
  return { ...race, fingerprint: fingerprintOf(race) };
}

/** A word that shows what broke, as it was at the end. */
function lastSeen(word: number, narration: Narration, words: Words): RaceRecord['shows'][number] {
  const value = narration.final[word] ?? 0;
  const object = words.of(word);
  words.tell(object, value);
  return { object, value };
}

/** What a step did, whatever stands around it. */
function performed(
  step: NarratedStep,
  words: Words,
  stacks: Stacks,
): Omit<RaceStep, 'matters' | 'enabled' | 'notes'> {
  const { actor, kind, guard, before, after, result, effect, store } = step;
  const object = words.of(step.word);
  for (const value of [before, after, result]) words.tell(object, value);
  const operands = store < 0 ? step.operands.slice(0, OPERANDS[kind] ?? 0) : [];
  return {
    actor,
    kind,
    effect: EFFECTS[effect] ?? 'none',
    object,
    before,
    after,
    result,
    ...(operands.length > 0 && { operands }),
    ...(guard !== 0 && { guard: words.of(guard) }),
    ...(store >= 0 && { store }),
    stack: stacks.of(step.places),
  };
}

/** By word: the value that the last step left in memory. */
function lastValues(steps: readonly NarratedStep[]): ReadonlyMap<number, number> {
  const values = new Map<number, number>();
  for (const { word, effect, after } of steps) if (effect === WRITES) values.set(word, after);
  return values;
}

/** Places and stacks, each once. */
class Stacks {
  readonly places: Place[] = [];
  readonly stacks: number[][] = [];
  private readonly known = new Map<readonly Place[], number>();
  private readonly byText = new Map<string, number>();

  of(places: readonly Place[]): number {
    if (places.length === 0) return -1;
    const known = this.known.get(places);
    if (known !== undefined) return known;
    const at = this.stacks.length;
    this.known.set(places, at);
    this.stacks.push(places.map((place) => this.place(place)));
    return at;
  }

  private place(place: Place): number {
    const text = `${place.fn} ${place.file}:${place.line}`;
    const known = this.byText.get(text);
    if (known !== undefined) return known;
    this.byText.set(text, this.places.length);
    return this.places.push(place) - 1;
  }
}

function notesByStep(notes: readonly NarratedNote[], meaning: Meaning): Map<number, string[]> {
  const by = new Map<number, string[]>();
  for (const { step, kind, id, arguments: args } of notes) {
    const text = kind === 'bug' ? meaning.assertion(id) : meaning.event(id, ...args);
    const of = by.get(step);
    if (of === undefined) by.set(step, [text]);
    else of.push(text);
  }
  return by;
}

function actorOf({ name, daemon, interrupts }: CheckOptions['actors'][number]): RaceActor {
  const vcpu = /^d(\d+)v(\d+)\s*/.exec(name);
  return {
    name,
    role: vcpu === null ? name : name.slice(vcpu[0].length),
    domain: vcpu === null ? null : Number(vcpu[1]),
    vcpu: vcpu === null ? null : Number(vcpu[2]),
    interrupts: interrupts?.actor ?? null,
    daemon: daemon === true,
  };
}

const ENDLESS: Readonly<Record<string, string>> = {
  deadlock: 'these threads never go on: whoever waits for them hangs',
  livelock: 'the threads run for ever and get nowhere',
  exception: 'the simulated code itself failed; this is a fault of the model',
};

function ruleOf({ invariant, message }: Complaint, meaning: Meaning): string | null {
  return ENDLESS[invariant] ?? meaning.rule(invariant, message);
}

function kindOf(invariant: string): RaceKind {
  if (invariant === 'deadlock' || invariant === 'livelock' || invariant === 'exception') {
    return invariant;
  }
  return invariant === 'kernel' || invariant.startsWith('bug ') ? 'assertion' : 'invariant';
}

/** The message; a deadlock names its words. */
function messageOf(
  message: string,
  waits: readonly RaceWait[],
  words: Words,
  actors: CheckOptions['actors'],
): string {
  if (waits.length === 0) return message;
  const each = waits.map(
    ({ actor, object }) => `${actors[actor]?.name} waits for ${words.objects[object]?.name}`,
  );
  return `nobody can go on: ${each.join(', ')}`;
}

function waitsOf({ waits, steps }: Narration, words: Words, stacks: Stacks): RaceWait[] {
  return waits.map(({ actor, kind, word, operands, places }) => {
    const object = words.of(word);
    const isLock = words.objects[object]?.lock !== null || isTaken(steps, word);
    return {
      actor,
      kind,
      object,
      operands: operands.slice(0, OPERANDS[kind] ?? 0),
      stack: stacks.of(places),
      holder: isLock ? holderOf(steps, word, actor) : null,
    };
  });
}

/** Does anybody take this word as one takes a lock? */
function isTaken(steps: readonly NarratedStep[], word: number): boolean {
  return steps.some((step) => step.word === word && step.kind === ACQUIRE_WHEN);
}

/** A switch, with the word that is waited for. */
function switchOf(
  { before, from, to, reason, resumes }: Switch,
  { steps, waits }: Narration,
  words: Words,
): RaceSwitch {
  const turn = { before, from, to, reason };
  if (reason !== 'waits') return turn;
  const word = steps[resumes]?.word ?? waits.find(({ actor }) => actor === from)?.word ?? 0;
  return word === 0 ? turn : { ...turn, object: words.of(word) };
}
