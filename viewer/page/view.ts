/**
 * What is looked at: the race, the selected step and how it is shown. Views are told of changes;
 * they change nothing but by these methods.
 */
import type { RaceModel } from './model.ts';
import type { Filter } from './rows.ts';
import { Rows, openFilter } from './rows.ts';

/** What changed: another race, other rows, another step, other arrows or shades. */
export type Changed = 'race' | 'rows' | 'step' | 'look';

export class View {
  model: RaceModel;
  rows: Rows;
  filter: Filter = openFilter;
  selected = 0;
  /** Arrows of all steps in sight, not only of the selected one. */
  allArrows = false;
  /** Shade what neither leads to the selected step nor follows from it. */
  dim = false;
  private readonly listeners: ((what: Changed) => void)[] = [];

  constructor(model: RaceModel) {
    this.model = model;
    this.rows = new Rows(model, this.filter);
    this.selected = usualStep(model);
    model.memory.seek(this.selected);
  }

  listen(listener: (what: Changed) => void): void {
    this.listeners.push(listener);
  }

  private tell(what: Changed): void {
    for (const listener of this.listeners) listener(what);
  }

  /** Shows another race. @param step - to begin with. */
  show(model: RaceModel, step = usualStep(model)): void {
    this.model = model;
    this.filter = { ...this.filter, opened: new Set() };
    this.rows = new Rows(model, this.filter);
    this.selected = Math.max(0, Math.min(model.length - 1, step));
    this.reveal();
    model.memory.seek(this.selected);
    this.tell('race');
  }

  select(step: number): void {
    const to = Math.max(0, Math.min(this.model.length - 1, step));
    if (to === this.selected) return;
    this.selected = to;
    this.model.memory.seek(to);
    if (this.reveal()) this.tell('rows');
    this.tell('step');
  }

  /** Goes to the next shown step, or `by` of them on. */
  move(by: number): void {
    this.select(this.rows.neighbour(this.selected, by));
  }

  setFilter(change: Partial<Filter>): void {
    this.filter = { ...this.filter, ...change };
    this.rows = new Rows(this.model, this.filter);
    this.reveal();
    this.tell('rows');
  }

  /** Shows steps that are folded away. */
  open(from: number, count: number): void {
    const opened = new Set(this.filter.opened);
    for (let i = from; i < from + count; i++) opened.add(i);
    this.setFilter({ opened });
  }

  setLook(look: { allArrows?: boolean; dim?: boolean }): void {
    this.allArrows = look.allArrows ?? this.allArrows;
    this.dim = look.dim ?? this.dim;
    this.tell('look');
  }

  /** The selected step is always shown. @returns true if that took other rows. */
  private reveal(): boolean {
    const { rows, selected } = this;
    if (this.model.length === 0 || rows.kind[rows.rowOf[selected] ?? 0] === 0) return false;
    this.filter = { ...this.filter, opened: new Set([...this.filter.opened, selected]) };
    this.rows = new Rows(this.model, this.filter);
    return true;
  }
}

/** Where a reader begins: the second of the accesses that decide, else the end. */
function usualStep({ race, length }: RaceModel): number {
  return race.conflict?.[1] ?? Math.max(0, length - 1);
}
