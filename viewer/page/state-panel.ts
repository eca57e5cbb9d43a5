/**
 * The words at the selected step: what it changed first, then all that was touched so far, or any
 * word of the machine by name. Each says when it was written last and leads there.
 */
import type { RaceObject } from '../../src/report/race.ts';
import { numberText, valueText } from '../../src/report/race.ts';
import { button, h, replace } from './dom.ts';
import { nextFrame } from './later.ts';
import type { View } from './view.ts';

/** Words that are listed at once; a filter leads to others. */
const MOST = 250;
/** Tables of whoever watches the machine: no part of it, so only shown when asked for. */
const OBSERVER = 'oracle.';
type Which = 'changed' | 'touched' | 'all';

export class StatePanel {
  readonly element = h('div', { class: 'state' });
  private readonly view: View;
  private readonly search: HTMLInputElement;
  private readonly list = h('div', { class: 'words', tabindex: 0, role: 'region' });
  private readonly objects = new Map<number, RaceObject>();
  private which: Which = 'touched';

  constructor(view: View) {
    this.view = view;
    this.search = h('input', {
      type: 'search',
      'aria-label': 'Part of a word’s name',
      placeholder: 'part of a name',
      input: () => this.draw(),
    });
    this.list.setAttribute('aria-label', 'Words at this step');
    this.element.append(this.controls(), this.list);
    const soon = nextFrame(() => this.draw());
    view.listen((what) => {
      if (what === 'race') this.learn();
      if (what === 'step' || what === 'race') soon();
    });
    this.learn();
    this.draw();
  }

  private controls(): HTMLElement {
    const choice = h('select', {
      'aria-label': 'Which words',
      change: () => {
        this.which = choice.value as Which;
        this.draw();
      },
    });
    const names: Readonly<Record<Which, string>> = {
      changed: 'changed by this step',
      touched: 'changed so far, and of this race',
      all: 'all words of the machine',
    };
    for (const [value, text] of Object.entries(names)) {
      choice.append(h('option', { value, selected: value === this.which }, text));
    }
    return h('div', { class: 'controls' }, choice, this.search);
  }

  private learn(): void {
    this.objects.clear();
    for (const object of this.view.model.race.objects) this.objects.set(object.word, object);
  }

  /** Looks only while it is seen. */
  draw(): void {
    if (this.element.closest('[hidden]') !== null) return;
    const { model, selected } = this.view;
    const { memory } = model;
    const changes = memory.changesOf(selected);
    const own = changes.filter(
      ({ word }) =>
        this.which === 'all' || memory.tableOf(word)?.name.startsWith(OBSERVER) !== true,
    );
    const changed = new Map(own.map((change) => [change.word, change]));
    const wanted = this.search.value.toLowerCase();
    const named = (word: number): boolean =>
      wanted === '' || memory.name(word).toLowerCase().includes(wanted);
    const others = this.candidates(selected).filter((word) => !changed.has(word));
    const words = [...[...changed.keys()].filter(named), ...some(others, named)];
    const rows = words.map((word) => this.row(word, changed.get(word)?.before));
    if (rows.length === 0) {
      replace(
        this.list,
        h('p', {}, wanted === '' ? 'This step changes no word.' : 'No such word.'),
      );
      return;
    }
    replace(
      this.list,
      h(
        'table',
        {},
        h(
          'thead',
          {},
          h(
            'tr',
            {},
            ...['word', 'value', 'written'].map((text) => h('th', { scope: 'col' }, text)),
          ),
        ),
        h('tbody', {}, ...rows.slice(0, MOST)),
      ),
    );
    if (rows.length > MOST) this.list.append(h('p', {}, 'There are more: name a part of theirs.'));
  }

  private candidates(step: number): number[] {
    const { model } = this.view;
    const { memory } = model;
    if (this.which === 'changed') return [];
    if (this.which === 'all') return all(memory.image.tables);
    const touched = new Map<number, number>();
    for (const word of memory.changingWords()) {
      const watches = memory.tableOf(word)?.name.startsWith(OBSERVER) === true;
      const last = watches ? -1 : memory.lastWrite(word, step);
      if (last >= 0) touched.set(word, last);
    }
    for (const { word, name } of this.objects.values()) {
      if (model.race.words.includes(name) && !touched.has(word)) touched.set(word, -1);
    }
    return [...touched].sort(([a, i], [b, j]) => j - i || a - b).map(([word]) => word);
  }

  private row(word: number, before: number | undefined): HTMLElement {
    const { model, selected } = this.view;
    const { memory } = model;
    const say = (value: number): string => valueText(this.objects.get(word), value);
    const now = memory.words[word] ?? 0;
    const last = memory.lastWrite(word, selected);
    const broken = model.race.words.includes(memory.name(word));
    const written =
      last < 0 ? 'at the start' : last === selected ? 'by this step' : `step ${last + 1}`;
    const value =
      before === undefined
        ? [say(now)]
        : [say(before), ' ⇒ ', h('strong', {}, say(now)), h('span', { class: 'tag' }, 'changed')];
    return h(
      'tr',
      { class: before === undefined ? '' : 'changed' },
      h(
        'th',
        { scope: 'row', title: this.objects.get(word)?.doc },
        memory.name(word),
        broken ? h('span', { class: 'tag broken' }, 'broken') : null,
      ),
      h('td', { title: numberText(now) }, ...value),
      h(
        'td',
        {},
        last < 0 || last === selected
          ? written
          : button(written, () => this.view.select(last), {
              class: 'link',
              title: `go to the last write, by ${model.actorName(model.step(last).actor)}`,
            }),
      ),
    );
  }
}

/** So many that pass, and one more to tell that there are more. */
function some(words: readonly number[], test: (word: number) => boolean): number[] {
  const found: number[] = [];
  for (const word of words) {
    if (found.length > MOST) break;
    if (test(word)) found.push(word);
  }
  return found;
}

function all(
  tables: readonly { from: number; words: number; stride: number; fields: readonly string[] }[],
): number[] {
  const words: number[] = [];
  for (const { from, words: count, stride, fields } of tables) {
    for (let i = 0; i < count; i++) if (i % stride < fields.length) words.push(from + i);
  }
  return words;
}
