/**
 * Which rows a race is shown by: steps that matter, what was left out between them, repetitions
 * folded, switches with their reason, and what tracepoints told. Nothing is lost: every step is in
 * exactly one row, itself or folded.
 */
import type { RaceRecord, RaceStep, RaceSwitch } from './race.ts';
import { placesOfStack } from './race.ts';

/** A part of the timeline. Steps are indices from 0. */
export type Row =
  | { readonly type: 'step'; readonly step: number }
  | { readonly type: 'switch'; readonly turn: RaceSwitch }
  | { readonly type: 'note'; readonly step: number; readonly text: string }
  /** Steps `from` to `to` of one actor that are left out; `fn` is the function that all are in. */
  | { readonly type: 'fold'; readonly from: number; readonly to: number; readonly fn: string }
  /** The block of `length` steps before it goes on for `times` repetitions in all, up to `to`. */
  | { readonly type: 'spin'; readonly to: number; readonly length: number; readonly times: number }
  /** The last `length` rows' steps repeat for ever. */
  | { readonly type: 'loop'; readonly length: number; readonly times: number }
  /** So many rows before this one are left out. */
  | { readonly type: 'more'; readonly rows: number };

/** Rows beyond which the oldest are left out, unless all are wanted. */
const MOST_ROWS = 400;
/** The longest block that is folded when it repeats. */
const SPIN_LENGTH = 8;
/** So often must it repeat. */
const SPIN_TIMES = 3;

/** The rows. @param all - every step has a row of its own, but for repetitions. */
export function rowsOf(race: RaceRecord, all: boolean): Row[] {
  const { steps, switches, loop } = race;
  const visible = visibleSteps(race, all);
  const turns = new Map(switches.map((turn) => [turn.before, turn]));
  const end = loop === null ? steps.length : loop.from + loop.length;
  const rows: Row[] = [];
  let i = 0;
  while (i < end) {
    const turn = turns.get(i);
    if (turn !== undefined) rows.push({ type: 'switch', turn });
    if (visible.has(i)) {
      rows.push({ type: 'step', step: i });
      for (const text of steps[i]?.notes ?? []) rows.push({ type: 'note', step: i, text });
    } else if (!extendFold(race, rows, i)) {
      rows.push({ type: 'fold', from: i, to: i, fn: functionOf(race, i, i, '') });
    }
    const spin = spinEndingAt(steps, turns, i, end);
    i++;
    if (spin === null) continue;
    rows.push({ type: 'spin', ...spin });
    i = spin.to + 1;
  }
  if (loop !== null) rows.push({ type: 'loop', length: loop.length, times: loop.times });
  if (all || rows.length <= MOST_ROWS) return rows;
  return [{ type: 'more', rows: rows.length - MOST_ROWS }, ...rows.slice(-MOST_ROWS)];
}

/** Steps that have a row of their own. */
function visibleSteps({ steps, switches, conflict, waits, loop }: RaceRecord, all: boolean) {
  const visible = new Set<number>(conflict ?? []);
  for (const { before } of switches) visible.add(before).add(before - 1);
  for (const { holder } of waits) if (holder !== null) visible.add(holder.step);
  visible.add(steps.length - 1);
  steps.forEach(({ matters, notes }, i) => {
    const repeats = loop !== null && i >= loop.from && i < loop.from + loop.length;
    if (all || matters || notes !== undefined || repeats) visible.add(i);
  });
  return visible;
}

/** Adds a step to the fold that is the last row, if it is one of the same actor. */
function extendFold(race: RaceRecord, rows: Row[], i: number): boolean {
  const last = rows.at(-1);
  if (last?.type !== 'fold' || last.to !== i - 1) return false;
  if (race.steps[last.to]?.actor !== race.steps[i]?.actor) return false;
  rows[rows.length - 1] = { ...last, to: i, fn: functionOf(race, last.from, i, last.fn) };
  return true;
}

/** The innermost function that both steps are in. @param known - of the steps before `to`. */
function functionOf(race: RaceRecord, from: number, to: number, known: string): string {
  const names = (i: number): string[] =>
    placesOfStack(race, race.steps[i]?.stack ?? -1).map(({ fn }) => fn);
  const inner = names(to);
  if (from === to) return inner[0] ?? '';
  const outer = names(from);
  const within = outer.slice(Math.max(outer.indexOf(known), 0));
  return within.find((fn) => inner.includes(fn)) ?? '';
}

/**
 * The repetition whose first block ends with step `i`, if the steps behind it repeat the block at
 * once and often enough, without a switch or a note in between.
 */
function spinEndingAt(
  steps: readonly RaceStep[],
  turns: ReadonlyMap<number, RaceSwitch>,
  i: number,
  end: number,
): { to: number; length: number; times: number } | null {
  for (let length = 1; length <= SPIN_LENGTH && length <= i + 1; length++) {
    let j = i + 1;
    while (j < end && !turns.has(j) && isSame(steps[j], steps[j - length])) j++;
    const times = Math.floor((j - i - 1) / length) + 1;
    if (times >= SPIN_TIMES) return { to: i + (times - 1) * length, length, times };
  }
  return null;
}

function isSame(a: RaceStep | undefined, b: RaceStep | undefined): boolean {
  if (a === undefined || b === undefined || a.notes !== undefined) return false;
  return (
    a.actor === b.actor &&
    a.kind === b.kind &&
    a.object === b.object &&
    a.result === b.result &&
    a.stack === b.stack &&
    a.store === undefined
  );
}
