/**
 * The timeline: a lane for each actor, a row for each step, time downwards. Only rows in sight are
 * elements; a tall empty box stands for the rest. Where lanes would be too narrow, rows name their
 * actor instead.
 */
import { Arrows } from './arrows.ts';
import { button, h, replace } from './dom.ts';
import { nextFrame } from './later.ts';
import { UNRELATED } from './model.ts';
import { FOLD_ROW, STEP_ROW, SWITCH_ROW } from './rows.ts';
import type { Changed, View } from './view.ts';
import { fileName, orderWord, tell, turnReason } from './words.ts';

const NARROWEST_LANE = 150;
const NUMBER = 52;
const PLACE = 190;
/** How much wider the last lane is: the others' rows may use the lanes behind them. */
const LAST_LANE = 1.6;
/** Heights of rows in pixels: one line, or two where there is no room for lanes. */
const LINE = 26;
const LINES = 44;
/** And of the names of the lanes. */
const HEAD = 30;
/** Rows beyond the edges that are kept, so that scrolling meets no gap. */
const MARGIN = 12;

export class Timeline {
  readonly element: HTMLElement;
  private readonly view: View;
  private readonly head = h('div', { class: 'lanes-head', role: 'row', 'aria-rowindex': 1 });
  private readonly scroller: HTMLElement;
  private readonly space = h('div', { class: 'space', role: 'rowgroup' });
  private readonly arrows: Arrows;
  private readonly drawn = new Map<number, HTMLElement>();
  private readonly soon = nextFrame(() => this.draw());
  private related: Uint8Array | null = null;
  private lanes = true;
  private height = LINE;
  /** What the scroller was when it was last asked: asking in between would lay the page out. */
  private top = 0;
  private width = 0;
  private room = 0;

  constructor(view: View) {
    this.view = view;
    this.arrows = new Arrows(view);
    this.scroller = h(
      'div',
      {
        class: 'timeline',
        role: 'grid',
        tabindex: 0,
        'aria-label': 'Timeline: a column for each actor, a row for each step',
        scroll: () => {
          this.top = this.scroller.scrollTop;
          this.soon();
        },
      },
      h('div', { role: 'rowgroup', class: 'head-group' }, this.head),
      this.space,
    );
    this.element = h('div', { class: 'timeline-box' }, this.scroller);
    new ResizeObserver(() => this.fit()).observe(this.scroller);
    view.listen((what) => this.changed(what));
  }

  /** Shows the selected step and takes the keys. */
  begin(): void {
    this.fit();
    this.rebuild();
    this.bringToView(true);
    this.draw();
    this.scroller.focus({ preventScroll: true });
  }

  focus(): void {
    this.scroller.focus({ preventScroll: true });
  }

  private changed(what: Changed): void {
    this.related = null;
    if (what === 'race' || what === 'rows') this.rebuild();
    else this.restyle();
    if (what !== 'look') this.bringToView(what === 'race');
    this.draw();
  }

  /** Lanes or one column, as the width allows. */
  private fit(): void {
    this.width = this.scroller.clientWidth;
    this.room = this.scroller.clientHeight;
    if (this.hasLanes() === this.lanes) this.draw();
    else this.rebuild();
    this.draw();
  }

  private hasLanes(): boolean {
    return this.width - NUMBER - PLACE >= this.view.model.lanes.length * NARROWEST_LANE;
  }

  private rebuild(): void {
    const { model, rows } = this.view;
    this.lanes = this.hasLanes();
    this.height = this.lanes ? LINE : LINES;
    this.scroller.classList.toggle('flat', !this.lanes);
    this.scroller.style.setProperty('--lanes', laneColumns(model.lanes.length));
    this.scroller.style.setProperty('--row', `${this.height}px`);
    this.scroller.setAttribute('aria-rowcount', String(rows.length + 1));
    this.scroller.setAttribute('aria-colcount', String(this.lanes ? model.lanes.length + 2 : 2));
    this.space.style.height = `${rows.length * this.height}px`;
    replace(this.head, ...this.headCells());
    for (const row of this.drawn.values()) row.remove();
    this.drawn.clear();
  }

  private headCells(): HTMLElement[] {
    const { model } = this.view;
    if (!this.lanes) return [headCell('no', 'step'), headCell('what', 'actor, operation')];
    const lanes = model.lanes.map((actor, lane) => {
      const { name, role } = model.race.actors[actor] ?? { name: '', role: '' };
      const who = name.slice(0, name.length - role.length).trim() || name;
      return h(
        'div',
        { role: 'columnheader', class: `lane hue${lane % 8}`, title: name },
        h('b', {}, who),
        ` ${who === name ? '' : role}`,
      );
    });
    return [headCell('no', 'step'), ...lanes, headCell('place', 'function, line')];
  }

  /** Shows another step as the selected one, on the rows that are drawn. */
  private restyle(): void {
    const { rows } = this.view;
    if (this.view.dim) this.related ??= this.view.model.related(this.view.selected);
    for (const [row, element] of this.drawn) {
      if (rows.kind[row] === STEP_ROW) this.style(element, rows.step[row] ?? 0);
    }
  }

  private style(element: HTMLElement, i: number): void {
    const { selected, dim } = this.view;
    element.classList.toggle('selected', i === selected);
    element.classList.toggle('future', i > selected);
    element.classList.toggle('unrelated', dim && this.related?.[i] === UNRELATED);
    element.setAttribute('aria-selected', String(i === selected));
  }

  private draw(): void {
    const { view, height, scroller, drawn } = this;
    // Behind fewer rows than before the place is beyond the end until the browser corrects it.
    const top = Math.min(Math.floor(this.top / height), view.rows.length);
    const from = Math.max(0, top - MARGIN);
    const to = Math.min(view.rows.length, top + Math.ceil(this.room / height) + MARGIN);
    for (const [row, element] of drawn) {
      if (row >= from && row < to) continue;
      element.remove();
      drawn.delete(row);
    }
    if (view.dim) this.related ??= view.model.related(view.selected);
    const added: HTMLElement[] = [];
    for (let row = from; row < to; row++) {
      if (drawn.has(row)) continue;
      const element = this.row(row);
      element.style.transform = `translateY(${row * height}px)`;
      drawn.set(row, element);
      added.push(element);
    }
    this.space.append(...added);
    const active = drawn.get(view.rows.rowOf[view.selected] ?? -1);
    if (active === undefined) scroller.removeAttribute('aria-activedescendant');
    else scroller.setAttribute('aria-activedescendant', active.id);
    this.arrows.draw(this.space, {
      from,
      to,
      height,
      lanes: this.lanes,
      left: NUMBER,
      right: PLACE,
      width: this.width,
      last: LAST_LANE,
    });
  }

  private row(row: number): HTMLElement {
    const { rows } = this.view;
    const step = rows.step[row] ?? 0;
    const kind = rows.kind[row];
    const element =
      kind === SWITCH_ROW
        ? this.switchRow(step)
        : kind === FOLD_ROW
          ? this.foldRow(step, rows.count[row] ?? 0)
          : this.stepRow(step);
    element.setAttribute('aria-rowindex', String(row + 2));
    return element;
  }

  private stepRow(i: number): HTMLElement {
    const { model } = this.view;
    const step = model.step(i);
    const names = ['step'];
    if (model.isConflict(i)) names.push('race');
    if (step.matters) names.push('matters');
    const lane = model.lanes.indexOf(step.actor);
    const number = h('div', { role: 'rowheader', class: 'no' }, String(i + 1));
    const what = this.cell(lane, `lane hue${lane % 8}`, ...this.operation(i));
    const where = this.whereParts(i);
    if (!this.lanes) {
      what.prepend(h('b', { class: 'who' }, model.actorName(step.actor)));
      what.append(h('span', { class: 'place' }, ...where));
    }
    const last = model.lanes.length;
    const cells = this.lanes ? [what, this.cell(last, 'place', ...where)] : [what];
    const element = h(
      'div',
      {
        id: `s${i + 1}`,
        role: 'row',
        class: names.join(' '),
        click: () => {
          this.view.select(i);
          this.focus();
        },
      },
      number,
      ...cells,
    );
    this.style(element, i);
    return element;
  }

  /** A cell of a lane: what others have no step for, it may use. Place is behind the last lane. */
  private cell(lane: number, name: string, ...children: (Node | string)[]): HTMLElement {
    const column = this.lanes ? lane + 2 : 2;
    const attributes = { role: 'gridcell', class: name, 'aria-colindex': column };
    const cell = h('div', attributes, ...children);
    if (this.lanes) {
      cell.style.gridColumn = lane < this.view.model.lanes.length ? `${column} / -2` : '-2 / -1';
    }
    return cell;
  }

  /** The race itself by its name, and the function and line. */
  private whereParts(i: number): (HTMLElement | string)[] {
    const { model } = this.view;
    const [place] = model.places(i);
    const parts: (HTMLElement | string)[] = [];
    if (model.isConflict(i)) {
      parts.push(h('span', { class: 'mark' }, `race: ${orderWord(model, i)}`), ' ');
    }
    if (place !== undefined) {
      parts.push(place.fn, h('span', {}, ` ${fileName(place.file)}:${place.line}`));
    }
    return parts;
  }

  /** `W d0.page[15].refcount 2 ⇒ 1 race, first`. */
  private operation(i: number): HTMLElement[] {
    const { model } = this.view;
    const { letter, name, values, verb } = tell(model, i);
    const dot = name.lastIndexOf('.');
    return [
      h('span', { class: `kind k${letter}`, title: verb }, letter),
      h(
        'span',
        { class: 'name', title: name },
        h('span', { class: 'path' }, dot < 0 ? '' : name.slice(0, dot)),
        h('span', { class: 'field' }, dot < 0 ? name : name.slice(dot)),
      ),
      h('span', { class: 'values', title: values }, values),
    ];
  }

  private switchRow(before: number): HTMLElement {
    const { model } = this.view;
    const turn = model.turns.get(before);
    if (turn === undefined) return h('div', { role: 'row' });
    const reason = turnReason(model, turn);
    const number = h('div', { role: 'rowheader', class: 'no' }, '⇄');
    const cells = this.lanes
      ? [turn.from, turn.to].map((actor) => {
          const lane = model.lanes.indexOf(actor);
          const text = actor === turn.from ? reason : 'runs';
          const name = `hue${lane % 8}`;
          const attributes = {
            role: 'gridcell',
            class: name,
            title: text,
            'aria-colindex': lane + 2,
          };
          const cell = h('div', attributes, text);
          cell.style.gridColumn = String(lane + 2);
          return cell;
        })
      : [
          h(
            'div',
            { role: 'gridcell' },
            `${model.actorName(turn.from)} ${reason}; ${model.actorName(turn.to)} runs`,
          ),
        ];
    return h('div', { role: 'row', class: `switch ${turn.reason}` }, number, ...cells);
  }

  private foldRow(from: number, count: number): HTMLElement {
    const words = count === 1 ? '1 step' : `${count} steps`;
    const open = button(`${words} folded`, () => this.view.open(from, Math.min(count, 2000)), {
      title: 'show these steps',
    });
    return h(
      'div',
      { role: 'row', class: 'fold' },
      h('div', { role: 'rowheader', class: 'no' }, '⋯'),
      h('div', { role: 'gridcell', class: 'all' }, open),
    );
  }

  /** Scrolls as little as is needed. @param centre - or so that the step is in the middle. */
  private bringToView(centre: boolean): void {
    const { height, view, top } = this;
    const at = (view.rows.rowOf[view.selected] ?? 0) * height;
    const room = this.room - HEAD;
    const margin = Math.min(3 * height, room / 4);
    if (centre || at < top - room || at > top + 2 * room) this.scrollTo(at - room / 2);
    else if (at < top + margin) this.scrollTo(at - margin);
    else if (at + height > top + room - margin) this.scrollTo(at + height - room + margin);
  }

  private scrollTo(top: number): void {
    const most = HEAD + this.view.rows.length * this.height - this.room;
    this.top = Math.max(0, Math.min(top, most));
    this.scroller.scrollTop = this.top;
  }
}

function headCell(name: string, text: string): HTMLElement {
  return h('div', { role: 'columnheader', class: name }, text);
}

/** Columns of lanes: the last is wider, since nothing stands to its right. */
function laneColumns(lanes: number): string {
  return [...Array<string>(lanes - 1).fill('minmax(0, 1fr)'), `minmax(0, ${LAST_LANE}fr)`].join(
    ' ',
  );
}
