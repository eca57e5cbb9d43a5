/** Stepping, jumping and filtering, above the timeline. */
import { button, h, replace, svg } from './dom.ts';
import { toConflict, toRace, toSwitch, toWrite } from './jumps.ts';
import type { RaceModel } from './model.ts';
import { Strip } from './strip.ts';
import type { View } from './view.ts';
import type { Sort } from './words.ts';
import { SORTS } from './words.ts';

type Jump = (model: RaceModel, from: number, by: 1 | -1) => number;

export class Controls {
  readonly element: HTMLElement;
  readonly search: HTMLInputElement;
  readonly strip: Strip;
  private readonly view: View;
  private readonly slider: HTMLInputElement;
  private readonly place = h('output', { class: 'place' });
  private readonly filters = h('div', { class: 'filter-box' });
  private readonly matters: HTMLButtonElement;
  private readonly arrows: HTMLButtonElement;
  private readonly dim: HTMLButtonElement;
  private readonly say: (text: string) => void;

  /** @param say - tells those who hear the page that a jump led nowhere. */
  constructor(view: View, say: (text: string) => void) {
    this.view = view;
    this.say = say;
    this.strip = new Strip(view);
    this.slider = h('input', {
      type: 'range',
      min: 1,
      'aria-label': 'Step',
      input: () => view.select(Number(this.slider.value) - 1),
    });
    this.search = h('input', {
      type: 'search',
      placeholder: 'word or function  /',
      'aria-label': 'Show only steps whose word or function has this in its name',
      input: () => view.setFilter({ text: this.search.value }),
    });
    this.matters = this.toggle('only what matters', 'm', () => this.toggleMatters());
    this.arrows = this.toggle('all arrows', 'a', () => this.toggleArrows());
    this.dim = this.toggle('shade unrelated', 'd', () => this.toggleDim());
    this.element = this.build();
    view.listen((what) => {
      if (what === 'race') this.drawFilters();
      this.draw();
    });
    this.drawFilters();
    this.draw();
  }

  private build(): HTMLElement {
    const { view } = this;
    const step = (label: string, key: string, path: string, by: number): HTMLElement =>
      button(`${label} (${key})`, () => view.move(by), { class: 'icon' }, icon(path));
    return h(
      'div',
      { class: 'controls-box' },
      h(
        'div',
        { class: 'row' },
        h(
          'div',
          { class: 'group', role: 'group', 'aria-label': 'Step' },
          step('first step', 'Home', 'M3 3v10M13 3 5 8l8 5Z', -Infinity),
          step('step back', '↑', 'M12 3 4 8l8 5Z', -1),
          step('step on', '↓', 'M4 3l8 5-8 5Z', 1),
          step('last step', 'End', 'M13 3v10M3 3l8 5-8 5Z', Infinity),
        ),
        h('div', { class: 'strip-box' }, this.strip.element, this.slider),
        this.place,
      ),
      h('div', { class: 'row' }, this.jumps(), this.looks()),
      this.filters,
    );
  }

  private jumps(): HTMLElement {
    const pair = (name: string, key: string, jump: Jump): HTMLElement[] => [
      button(
        `last ${name} (${key.toUpperCase()})`,
        () => this.jump(jump, -1),
        { class: 'icon' },
        '‹',
      ),
      button(`next ${name} (${key})`, () => this.jump(jump, 1), {}, `${name} ›`),
    ];
    return h(
      'div',
      { class: 'group', role: 'group', 'aria-label': 'Jump' },
      ...pair('conflict', 'c', toConflict),
      ...pair('switch', 's', toSwitch),
      ...pair('write of this word', 'w', toWrite),
      button('the race (r)', () => this.jump(toRace, 1), {}, 'the race'),
    );
  }

  private looks(): HTMLElement {
    const label = 'Filter by actor and kind';
    const open = button(
      label,
      () => this.toggleFilters(open),
      { 'aria-expanded': 'false' },
      'filter',
    );
    return h(
      'div',
      { class: 'group', role: 'group', 'aria-label': 'Show' },
      this.matters,
      this.arrows,
      this.dim,
      open,
      this.search,
    );
  }

  private toggleFilters(open: HTMLButtonElement): void {
    this.filters.classList.toggle('open');
    open.setAttribute('aria-expanded', String(this.filters.classList.contains('open')));
  }

  private toggle(text: string, key: string, click: () => void): HTMLButtonElement {
    return button(`${text} (${key})`, click, { 'aria-pressed': 'false' }, text);
  }

  /** Jumps, or says that there is nothing to jump to. */
  jump(jump: Jump, by: 1 | -1): void {
    const { view } = this;
    const to = view.model.length === 0 ? -1 : jump(view.model, view.selected, by);
    if (to < 0) this.say(`None ${by > 0 ? 'after' : 'before'} this step.`);
    else view.select(to);
  }

  toggleMatters(): void {
    this.view.setFilter({ matters: !this.view.filter.matters, opened: new Set() });
  }

  toggleArrows(): void {
    this.view.setLook({ allArrows: !this.view.allArrows });
  }

  toggleDim(): void {
    this.view.setLook({ dim: !this.view.dim });
  }

  /** Shows everything again. */
  clear(): void {
    this.search.value = '';
    this.view.setFilter({ hidden: new Set(), sorts: new Set(SORTS), text: '', opened: new Set() });
    this.drawFilters();
  }

  private draw(): void {
    const { model, selected, filter, rows, allArrows, dim } = this.view;
    this.slider.max = String(Math.max(1, model.length));
    this.slider.value = String(selected + 1);
    this.slider.setAttribute('aria-valuetext', `step ${selected + 1} of ${model.length}`);
    const hidden = model.length - rows.shown.length;
    const folded = hidden === 0 ? '' : `, ${hidden} folded`;
    this.place.textContent = `${selected + 1} / ${model.length}${folded}`;
    this.matters.setAttribute('aria-pressed', String(filter.matters));
    this.arrows.setAttribute('aria-pressed', String(allArrows));
    this.dim.setAttribute('aria-pressed', String(dim));
  }

  private drawFilters(): void {
    const { model, filter } = this.view;
    const actors = model.lanes.map((actor, lane) =>
      this.box(
        model.actorName(actor),
        !filter.hidden.has(actor),
        (on) => this.view.setFilter({ hidden: toggled(this.view.filter.hidden, actor, !on) }),
        `hue${lane % 8}`,
      ),
    );
    const sorts = SORTS.map((sort: Sort) =>
      this.box(sort, filter.sorts.has(sort), (on) =>
        this.view.setFilter({ sorts: toggled(this.view.filter.sorts, sort, on) }),
      ),
    );
    replace(
      this.filters,
      h('fieldset', {}, h('legend', {}, 'actors'), ...actors),
      h('fieldset', {}, h('legend', {}, 'kinds'), ...sorts),
      button('show all again (x)', () => this.clear()),
    );
  }

  private box(
    name: string,
    checked: boolean,
    change: (on: boolean) => void,
    hue = '',
  ): HTMLLabelElement {
    const input = h('input', { type: 'checkbox', checked, change: () => change(input.checked) });
    return h('label', { class: hue }, input, ` ${name}`);
  }
}

function icon(path: string): SVGElement {
  return svg(
    'svg',
    { viewBox: '0 0 16 16', width: 14, height: 14, 'aria-hidden': 'true', class: 'sign' },
    svg('path', { d: path }),
  );
}

function toggled<T>(set: ReadonlySet<T>, item: T, on: boolean): Set<T> {
  const next = new Set(set);
  if (on) next.add(item);
  else next.delete(item);
  return next;
}
