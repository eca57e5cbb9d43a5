/**
 * The timeline: a lane for each actor, a row for each step, time downwards. Only rows in sight are
 * elements; a tall empty box stands for the rest. Where lanes would be too narrow, rows name their
 * actor instead.
 */
import { Arrows } from './arrows.ts';
import { button, h, replace } from './dom.ts';
import { UNRELATED } from './model.ts';
import { FOLD_ROW, SWITCH_ROW } from './rows.ts';
import type { Changed, View } from './view.ts';
import { fileName, orderWord, tell, turnReason } from './words.ts';

const NARROWEST_LANE = 150;
const NUMBER = 52;
const PLACE = 190;
/** Heights of rows in pixels: one line, or two where there is no room for lanes. */
const LINE = 26;
const LINES = 44;
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
  private related: Uint8Array | null = null;
  private pending = false;
  private lanes = true;
  private height = LINE;

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
        scroll: () => this.soon(),
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
    this.rebuild();
    this.bringToView(true);
    this.scroller.focus({ preventScroll: true });
  }

  focus(): void {
    this.scroller.focus({ preventScroll: true });
  }

  private changed(what: Changed): void {
    this.related = null;
    if (what === 'race' || what === 'rows') this.rebuild();
    else this.refresh();
    if (what !== 'look') this.bringToView(what === 'race');
  }

  /** Lanes or one column, as the width allows. */
  private fit(): void {
    const room = this.scroller.clientWidth - NUMBER - PLACE;
    const lanes = room >= this.view.model.lanes.length * NARROWEST_LANE;
    if (lanes === this.lanes) this.refresh();
    else this.rebuild();
  }

  private rebuild(): void {
    const { model, rows } = this.view;
    const room = this.scroller.clientWidth - NUMBER - PLACE;
    this.lanes = room >= model.lanes.length * NARROWEST_LANE;
    this.height = this.lanes ? LINE : LINES;
    this.scroller.classList.toggle('flat', !this.lanes);
    this.scroller.style.setProperty('--lanes', String(model.lanes.length));
    this.scroller.style.setProperty('--row', `${this.height}px`);
    this.scroller.setAttribute('aria-rowcount', String(rows.length + 1));
    this.scroller.setAttribute('aria-colcount', String(this.lanes ? model.lanes.length + 2 : 2));
    this.space.style.height = `${rows.length * this.height}px`;
    replace(this.head, ...this.headCells());
    this.refresh();
  }

  private headCells(): HTMLElement[] {
    const { model } = this.view;
    const cell = (name: string, text: string): HTMLElement =>
      h('div', { role: 'columnheader', class: name }, text);
    if (!this.lanes) return [cell('no', 'step'), cell('what', 'actor, operation')];
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
    return [cell('no', 'step'), ...lanes, cell('place', 'function, line')];
  }

  /** Draws in the next frame, however often it is asked. */
  private soon(): void {
    if (this.pending) return;
    this.pending = true;
    requestAnimationFrame(() => {
      this.pending = false;
      this.draw();
    });
  }

  /** Forgets what is drawn and draws again. */
  private refresh(): void {
    for (const row of this.drawn.values()) row.remove();
    this.drawn.clear();
    this.draw();
  }

  private draw(): void {
    const { view, height, scroller, drawn } = this;
    const top = Math.floor(scroller.scrollTop / height);
    const from = Math.max(0, top - MARGIN);
    const to = Math.min(
      view.rows.length,
      top + Math.ceil(scroller.clientHeight / height) + MARGIN,
    );
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
    const { model, selected, dim } = this.view;
    const step = model.step(i);
    const conflict = model.isConflict(i);
    const names = ['step'];
    if (i === selected) names.push('selected');
    if (i > selected) names.push('future');
    if (conflict) names.push('race');
    if (step.matters) names.push('matters');
    if (dim && this.related?.[i] === UNRELATED) names.push('unrelated');
    const lane = model.lanes.indexOf(step.actor);
    const number = h('div', { role: 'rowheader', class: 'no' }, String(i + 1));
    const what = h('div', { role: 'gridcell', class: `lane hue${lane % 8}` }, ...this.operation(i));
    const [place] = model.places(i);
    const where = h(
      'div',
      { role: 'gridcell', class: 'place' },
      ...(place === undefined
        ? []
        : [place.fn, h('span', {}, ` ${fileName(place.file)}:${place.line}`)]),
    );
    if (!this.lanes) {
      what.prepend(h('b', { class: 'who' }, model.actorName(step.actor)));
      what.append(h('span', { class: 'place' }, ...where.childNodes));
    }
    const empty = (): HTMLElement => h('div', { role: 'gridcell' });
    const cells = this.lanes
      ? [...model.lanes.map((_, at) => (at === lane ? what : empty())), where]
      : [what];
    return h(
      'div',
      {
        id: `s${i + 1}`,
        role: 'row',
        class: names.join(' '),
        'aria-selected': i === selected ? 'true' : 'false',
        click: () => {
          this.view.select(i);
          this.focus();
        },
      },
      number,
      ...cells,
    );
  }

  /** `W d0.page[15].refcount 2 ⇒ 1 race, first`. */
  private operation(i: number): HTMLElement[] {
    const { model } = this.view;
    const { letter, name, values, verb } = tell(model, i);
    const dot = name.lastIndexOf('.');
    const parts = [
      h('span', { class: `kind k${letter}`, title: verb }, letter),
      h(
        'span',
        { class: 'name', title: name },
        h('span', { class: 'path' }, dot < 0 ? '' : name.slice(0, dot)),
        h('span', { class: 'field' }, dot < 0 ? name : name.slice(dot)),
      ),
      h('span', { class: 'values', title: values }, values),
    ];
    if (model.isConflict(i)) parts.push(h('span', { class: 'mark' }, `race: ${orderWord(model, i)}`));
    return parts;
  }

  private switchRow(before: number): HTMLElement {
    const { model } = this.view;
    const turn = model.turns.get(before);
    if (turn === undefined) return h('div', { role: 'row' });
    const reason = turnReason(model, turn);
    const number = h('div', { role: 'rowheader', class: 'no' }, '⇄');
    const cells = this.lanes
      ? model.lanes.map((actor, lane) => {
          const text = actor === turn.from ? reason : actor === turn.to ? 'runs' : '';
          return h('div', { role: 'gridcell', class: `hue${lane % 8}`, title: text }, text);
        })
      : [
          h(
            'div',
            { role: 'gridcell' },
            `${model.actorName(turn.from)} ${reason}; ${model.actorName(turn.to)} runs`,
          ),
        ];
    if (this.lanes) cells.push(h('div', { role: 'gridcell' }));
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
    const { scroller, height, view } = this;
    const top = (view.rows.rowOf[view.selected] ?? 0) * height;
    const room = scroller.clientHeight - this.head.offsetHeight;
    const above = scroller.scrollTop;
    const margin = Math.min(3 * height, room / 4);
    if (centre || top < above - room || top > above + 2 * room) {
      scroller.scrollTop = top - room / 2;
    } else if (top < above + margin) scroller.scrollTop = top - margin;
    else if (top + height > above + room - margin) {
      scroller.scrollTop = top + height - room + margin;
    }
    this.draw();
  }
}
