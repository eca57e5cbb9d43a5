/** The selected step in full: who, what, before and after, what orders it, and the call stack. */
import type { Place } from '../../src/report/places.ts';
import { button, h, replace } from './dom.ts';
import { nextFrame } from './later.ts';
import type { SourcePanel } from './source-panel.ts';
import type { View } from './view.ts';
import { EDGE_WORDS, fileName, orderWord, plainNumber, tell } from './words.ts';

/** Links that are listed of what follows a step. */
const MOST_LINKS = 4;
/** Frames of the call stack that are in sight at once. */
const NEAREST_FRAMES = 4;

export class StepPanel {
  readonly element = h('section', { class: 'step-panel', 'aria-label': 'Selected step' });
  private readonly view: View;
  private readonly source: SourcePanel;

  constructor(view: View, source: SourcePanel) {
    this.view = view;
    this.source = source;
    const soon = nextFrame(() => this.draw());
    view.listen((what) => {
      if (what === 'step' || what === 'race') soon();
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
        { title: `${place.file}:${place.line}` },
        button(`${place.fn}`, () => this.source.show(place), {
          class: depth === 0 ? 'link here' : 'link',
        }),
        h('span', { class: 'file' }, ` ${fileName(place.file)}:${place.line}`),
      ),
    );
    const near = h('ol', {}, ...frames.slice(0, NEAREST_FRAMES));
    const further = frames.slice(NEAREST_FRAMES);
    const rest =
      further.length === 0
        ? null
        : h(
            'details',
            {},
            h('summary', {}, `called by ${further.length} more`),
            h('ol', {}, ...further),
          );
    return h('div', { class: 'stack', role: 'group', 'aria-label': 'Call stack' }, near, rest);
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
