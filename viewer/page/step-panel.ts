/** The selected step in full: who, what, before and after, what orders it, and the call stack. */
import type { Place } from '../../src/report/places.ts';
import { button, h, replace } from './dom.ts';
import type { SourcePanel } from './source-panel.ts';
import type { View } from './view.ts';
import { EDGE_WORDS, fileName, orderWord, plainNumber, tell } from './words.ts';

/** Links that are listed of what follows a step. */
const MOST_LINKS = 6;

export class StepPanel {
  readonly element = h('section', { class: 'step-panel', 'aria-label': 'Selected step' });
  private readonly view: View;
  private readonly source: SourcePanel;

  constructor(view: View, source: SourcePanel) {
    this.view = view;
    this.source = source;
    view.listen((what) => {
      if (what === 'step' || what === 'race') this.draw();
    });
    this.draw();
  }

  private draw(): void {
    const { model, selected } = this.view;
    if (model.length === 0) {
      replace(this.element, h('p', {}, 'This execution has no steps.'));
      return;
    }
    const places = model.places(selected);
    replace(this.element, ...this.facts(), this.order(), this.stack(places));
    this.source.show(places[0] ?? null);
  }

  private facts(): HTMLElement[] {
    const { model, selected } = this.view;
    const step = model.step(selected);
    const object = model.object(selected);
    const { verb, name, values } = tell(model, selected);
    const lane = model.lanes.indexOf(step.actor) % 8;
    const title = h(
      'h2',
      {},
      h('span', { class: `who hue${lane}` }, model.actorName(step.actor)),
      h('span', { class: 'count' }, `step ${selected + 1} of ${model.length}`),
    );
    if (model.isConflict(selected)) {
      title.append(h('span', { class: 'mark' }, `race: ${orderWord(model, selected)} access`));
    }
    const what = h(
      'p',
      { class: 'what' },
      h('code', {}, verb),
      name === verb || name === '' ? null : h('code', { class: 'word' }, ` ${name}`),
      h('code', { class: 'values' }, ` ${values}`),
    );
    const lines = [title, what];
    if (object !== undefined) {
      const number = numbers(step.before, step.after, values);
      lines.push(h('p', { class: 'doc' }, [object.doc, number].filter(Boolean).join(' · ')));
    }
    for (const note of step.notes ?? []) lines.push(h('p', { class: 'note' }, note));
    return lines;
  }

  /** What it comes after, what comes after it, each a link. */
  private order(): HTMLElement {
    const { model, selected } = this.view;
    const { edges } = model.race;
    const link = (step: number, text: string): HTMLElement =>
      h(
        'li',
        {},
        button(`step ${step + 1}`, () => this.view.select(step), { class: 'link' }),
        ` ${model.actorName(model.step(step).actor)}: ${text}`,
      );
    const items: HTMLElement[] = [];
    for (const number of model.edgesTo(selected)) {
      const [from, , kind] = edges[number] ?? [0, 0, 'rf' as const];
      items.push(link(from, `before it (${EDGE_WORDS[kind]})`));
    }
    const after = [...model.edgesFrom(selected)];
    for (const number of after.slice(0, MOST_LINKS)) {
      const [, to, kind] = edges[number] ?? [0, 0, 'rf' as const];
      items.push(link(to, `after it (${EDGE_WORDS[kind]})`));
    }
    if (after.length > MOST_LINKS) {
      items.push(h('li', {}, `and ${after.length - MOST_LINKS} more after it`));
    }
    const none = h('li', {}, 'No step of another actor is ordered with this one.');
    return h('ul', { class: 'order' }, ...(items.length === 0 ? [none] : items));
  }

  private stack(places: readonly Place[]): HTMLElement {
    const frames = places.map((place, depth) =>
      h(
        'li',
        {},
        button(`${place.fn}`, () => this.source.show(place), {
          class: depth === 0 ? 'link here' : 'link',
        }),
        h('span', { class: 'file' }, ` ${fileName(place.file)}:${place.line}`),
      ),
    );
    return h(
      'details',
      { class: 'stack', open: true },
      h('summary', {}, `Call stack, ${places.length} deep`),
      h('ol', {}, ...frames),
    );
  }
}

/** The numbers, where words stand for them. */
function numbers(before: number, after: number, told: string): string {
  const [a, b] = [plainNumber(before), plainNumber(after)];
  if (told.includes(a) && told.includes(b)) return '';
  return before === after ? `0x${(after >>> 0).toString(16)}` : `${hex(before)} ⇒ ${hex(after)}`;
}

function hex(value: number): string {
  return `0x${(value >>> 0).toString(16)}`;
}
