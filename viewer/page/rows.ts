/**
 * Which rows the timeline has: steps that the filter lets through, the switches before them, and
 * folds for what is left out between them.
 */
import type { RaceModel } from './model.ts';
import type { Sort } from './words.ts';
import { SORTS, sortOf } from './words.ts';

export const STEP_ROW = 0;
export const SWITCH_ROW = 1;
export const FOLD_ROW = 2;

export interface Filter {
  /** Actors that are hidden. */
  readonly hidden: ReadonlySet<number>;
  readonly sorts: ReadonlySet<Sort>;
  /** Part of the name of a word, or of a function; empty: any. */
  readonly text: string;
  /** Only steps that matter, with switches and the race itself. */
  readonly matters: boolean;
  /** Steps that are shown whatever the rest says: opened folds, and where jumps led. */
  readonly opened: ReadonlySet<number>;
}

export const openFilter: Filter = {
  hidden: new Set(),
  sorts: new Set(SORTS),
  text: '',
  matters: true,
  opened: new Set(),
};

export class Rows {
  readonly length: number;
  /** By row: STEP_ROW, SWITCH_ROW, FOLD_ROW. */
  readonly kind: Uint8Array;
  /** By row: its step; of a switch the step behind it; of a fold the first step that is hidden. */
  readonly step: Int32Array;
  /** Of a fold: how many steps are hidden. */
  readonly count: Int32Array;
  /** Steps that are shown, in order. */
  readonly shown: Int32Array;
  /** By step: its row; of a hidden step that of its fold. */
  readonly rowOf: Int32Array;

  constructor(model: RaceModel, filter: Filter) {
    const { length } = model;
    const most = length * 2 + 2;
    const kind = new Uint8Array(most);
    const step = new Int32Array(most);
    const count = new Int32Array(most);
    const shown = new Int32Array(length);
    const rowOf = new Int32Array(length);
    let rows = 0;
    let found = 0;
    let fold = -1;
    const visible = visibility(model, filter);
    for (let i = 0; i < length; i++) {
      if (!visible(i)) {
        if (fold < 0) {
          fold = rows++;
          kind[fold] = FOLD_ROW;
          step[fold] = i;
        }
        count[fold] = (count[fold] ?? 0) + 1;
        rowOf[i] = fold;
        continue;
      }
      fold = -1;
      if (model.turns.has(i)) {
        kind[rows] = SWITCH_ROW;
        step[rows++] = i;
      }
      rowOf[i] = rows;
      step[rows++] = i;
      shown[found++] = i;
    }
    this.length = rows;
    this.kind = kind.subarray(0, rows);
    this.step = step.subarray(0, rows);
    this.count = count.subarray(0, rows);
    this.shown = shown.subarray(0, found);
    this.rowOf = rowOf;
  }

  /** The step that is shown and lies `by` shown steps from `i`, which may be hidden. */
  neighbour(i: number, by: number): number {
    const { shown } = this;
    if (shown.length === 0) return i;
    let low = 0;
    let high = shown.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((shown[middle] ?? 0) < i) low = middle + 1;
      else high = middle;
    }
    const isShown = shown[low] === i;
    const at = by > 0 && !isShown ? low + by - 1 : low + by;
    return shown[Math.max(0, Math.min(shown.length - 1, at))] ?? i;
  }
}

function visibility(model: RaceModel, filter: Filter): (i: number) => boolean {
  const { race, turns, length } = model;
  const { hidden, sorts, text, matters, opened } = filter;
  const wanted = text.toLowerCase();
  const objects = race.objects.map(({ name }) => name.toLowerCase().includes(wanted));
  const places = race.places.map(({ fn }) => fn.toLowerCase().includes(wanted));
  return (i) => {
    if (opened.has(i)) return true;
    const step = model.step(i);
    if (hidden.has(step.actor)) return false;
    if (sorts.size < SORTS.length && !sorts.has(sortOf(step))) return false;
    if (wanted !== '') {
      const inner = race.stacks[step.stack]?.[0] ?? -1;
      return objects[step.object] === true || places[inner] === true;
    }
    if (!matters) return true;
    const edge = turns.has(i) || turns.has(i + 1) || i === length - 1;
    return step.matters || edge || model.isConflict(i);
  };
}
