/** Steps and switches in words and letters. */
import {
  ACQUIRE_WHEN,
  AWAIT_EQUAL,
  AWAIT_NOT_EQUAL,
  CHOOSE,
  CMPXCHG,
  FETCH_ADD,
  FETCH_AND,
  FETCH_OR,
  LOST,
  READ,
  READ_ONCE,
  LOAD_ACQUIRE,
  LOAD_THROUGH,
  SMP_MB,
  SMP_RMB,
  SMP_WMB,
  STORE_RELEASE,
  STORE_THROUGH,
  WRITE,
  WRITE_ONCE,
  XCHG,
} from '../../src/shared/kinds.ts';
import type { EdgeKind, RaceObject, RaceStep, RaceSwitch } from '../../src/report/race.ts';
import { numberText, valueText } from '../../src/report/race.ts';
import type { RaceModel } from './model.ts';

/** Sorts of operations, as people filter by them. */
export type Sort = 'read' | 'write' | 'atomic' | 'wait' | 'barrier' | 'flush' | 'choice';
export const SORTS: readonly Sort[] = [
  'read',
  'write',
  'atomic',
  'wait',
  'barrier',
  'flush',
  'choice',
];
const LETTERS: Readonly<Record<Sort, string>> = {
  read: 'R',
  write: 'W',
  atomic: 'X',
  wait: 'A',
  barrier: 'B',
  flush: 'F',
  choice: 'C',
};

const READS = [READ, READ_ONCE, LOAD_ACQUIRE, LOAD_THROUGH];
const WRITES = [WRITE, WRITE_ONCE, STORE_RELEASE, STORE_THROUGH];
const ATOMICS = [CMPXCHG, XCHG, FETCH_ADD, FETCH_AND, FETCH_OR];
const WAITS = [AWAIT_EQUAL, AWAIT_NOT_EQUAL, ACQUIRE_WHEN];
const BARRIERS = [SMP_MB, SMP_WMB, SMP_RMB];

export function sortOf({ kind, store }: RaceStep): Sort {
  if (store !== undefined) return 'flush';
  if (READS.includes(kind)) return 'read';
  if (WRITES.includes(kind)) return 'write';
  if (ATOMICS.includes(kind)) return 'atomic';
  if (WAITS.includes(kind)) return 'wait';
  if (kind === CHOOSE) return 'choice';
  return BARRIERS.includes(kind) ? 'barrier' : 'read';
}

/** What an operation is called: a letter for the lane, words for those who hear it. */
export interface Told {
  readonly letter: string;
  readonly verb: string;
  /** Of the word; empty if there is none. */
  readonly name: string;
  /** `2 ⇒ 1`, `→ 2`. */
  readonly values: string;
  /** The same for those who hear it. */
  readonly spoken: string;
}

/** What a step did. */
export function tell(model: RaceModel, i: number): Told {
  const step = model.step(i);
  const object = model.object(i);
  const verb = model.race.kinds[step.kind] ?? '';
  const sort = sortOf(step);
  const letter = LETTERS[sort];
  const { values, spoken } = outcome(model, i, step, object);
  const name = object?.name ?? (sort === 'barrier' || sort === 'choice' ? verb : '');
  return { letter, verb: sort === 'flush' ? `flush of ${verb}` : verb, name, values, spoken };
}

function outcome(
  model: RaceModel,
  i: number,
  step: RaceStep,
  object: RaceObject | undefined,
): Pick<Told, 'values' | 'spoken'> {
  const { effect, before, after, result, kind, operands } = step;
  const say = (value: number): string => valueText(object, value);
  if (kind === CHOOSE) {
    const text = `${result} of 0 to ${(operands?.[0] ?? 1) - 1}`;
    return { values: `→ ${text}`, spoken: text };
  }
  if (result === LOST) return { values: 'translation lost', spoken: 'the translation was lost' };
  if (effect === 'none') return { values: '', spoken: '' };
  if (effect === 'buffers') {
    const flush = model.flushOf(i);
    const value = flush < 0 ? 'buffered' : `${say(model.step(flush).after)} buffered`;
    return { values: `:= ${value}`, spoken: `${value}, not in memory yet` };
  }
  if (effect === 'own') {
    return { values: `→ ${say(result)} (own store)`, spoken: `is ${say(result)}, own store` };
  }
  if (effect === 'writes' && before !== after) {
    return {
      values: `${say(before)} ⇒ ${say(after)}`,
      spoken: `from ${say(before)} to ${say(after)}`,
    };
  }
  if (kind === CMPXCHG && before !== operands?.[0]) {
    const wanted = say(operands?.[0] ?? 0);
    return {
      values: `→ ${say(before)} ≠ ${wanted}`,
      spoken: `failed: is ${say(before)}, wanted ${wanted}`,
    };
  }
  if (effect === 'writes') return { values: `= ${say(after)}`, spoken: `stays ${say(after)}` };
  return { values: `→ ${say(before)}`, spoken: `is ${say(before)}` };
}

/** A step in one sentence. */
export function sentence(model: RaceModel, i: number): string {
  const { verb, name, spoken } = tell(model, i);
  const step = model.step(i);
  const [place] = model.places(i);
  const where =
    place === undefined ? '' : `, in ${place.fn}, ${fileName(place.file)} ${place.line}`;
  const what = [verb, name === verb ? '' : name, spoken].filter((text) => text !== '').join(' ');
  const race = model.isConflict(i) ? `; the race, ${orderWord(model, i)} access` : '';
  const who = model.actorName(step.actor);
  return `Step ${i + 1} of ${model.length}, ${who}: ${what}${where}${race}.`;
}

/** `first` or `second`, of the two accesses that decide. */
export function orderWord({ race }: RaceModel, i: number): string {
  return race.conflict?.[0] === i ? 'first' : 'second';
}

/** Why another actor went on. */
export function turnReason(model: RaceModel, { reason, object }: RaceSwitch): string {
  if (reason !== 'waits') return reason;
  const name = model.race.objects[object ?? -1]?.name;
  return name === undefined ? 'waits' : `waits for ${name}`;
}

/** What an arrow says. */
export const EDGE_WORDS: Readonly<Record<EdgeKind, string>> = {
  rf: 'reads what it wrote',
  ww: 'writes over it',
  rw: 'writes over what it read',
  sync: 'release to acquire',
  lock: 'lock handed over',
  ipi: 'interrupt',
  wake: 'wakes',
  flush: 'store reaches memory',
};

/** The last part of a path. */
export function fileName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

/** The number of a value, beside its meaning. */
export function plainNumber(value: number): string {
  return numberText(value);
}
