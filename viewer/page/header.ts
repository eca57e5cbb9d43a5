/** The verdict first, the two accesses that decide, and how to see it again. */
import { button, h, replace } from './dom.ts';
import type { RaceModel } from './model.ts';
import { copyBox } from './play-panel.ts';
import type { View } from './view.ts';
import { fileName, tell } from './words.ts';

export class Header {
  readonly element = h('header', { class: 'page-head' });
  private readonly view: View;
  private readonly say: (text: string) => void;
  private readonly actions: readonly HTMLElement[];

  /** @param actions - buttons at its end. */
  constructor(view: View, say: (text: string) => void, actions: readonly HTMLElement[]) {
    this.view = view;
    this.say = say;
    this.actions = actions;
    view.listen((what) => {
      if (what === 'race') this.draw();
    });
    this.draw();
  }

  private draw(): void {
    const { race } = this.view.model;
    const broken = race.verdict === 'broken';
    document.title = `${broken ? (race.invariant ?? 'broken') : 'holds'}: ${race.scenario}`;
    const under = [race.design, race.memory].filter((text) => text !== '').join(', ');
    replace(
      this.element,
      h(
        'div',
        { class: 'title' },
        h(
          'h1',
          {},
          h('span', { class: broken ? 'badge broken' : 'badge safe' }, badgeOf(race)),
          h('span', { class: 'scenario' }, race.scenario),
          h('small', {}, under),
        ),
        h('div', { class: 'actions' }, ...this.actions),
      ),
      race.message === null
        ? h('p', { class: 'message' }, 'Nothing broke in this execution.')
        : h('p', { class: 'message' }, withoutName(race.message, race.invariant)),
      ...(race.rule === null ? [] : [h('p', { class: 'rule' }, race.rule)]),
      h('div', { class: 'evidence' }, this.pair(), copyBox(race.replay, this.say)),
    );
  }

  /** `first … then …`, aligned, and whether anything orders them. */
  private pair(): HTMLElement | null {
    const { model } = this.view;
    const { conflict, ordered } = model.race;
    if (conflict === null) return null;
    const [first, then] = conflict;
    const order =
      ordered === null
        ? null
        : h(
            'p',
            { class: 'ordered' },
            ordered
              ? `Step ${first + 1} is ordered before step ${then + 1}: what is wrong is the order.`
              : `Nothing orders steps ${first + 1} and ${then + 1}: the other order is possible.`,
          );
    return h(
      'div',
      { class: 'pair' },
      h(
        'table',
        { 'aria-label': 'The two accesses that decide' },
        h('tbody', {}, this.access('first', first), this.access('then', then)),
      ),
      order,
    );
  }

  private access(label: string, i: number): HTMLElement {
    const { model } = this.view;
    const { letter, name, values } = tell(model, i);
    const [place] = model.places(i);
    const lane = model.lanes.indexOf(model.step(i).actor) % 8;
    const where = place === undefined ? '' : `${place.fn} ${fileName(place.file)}:${place.line}`;
    return h(
      'tr',
      {},
      h('th', { scope: 'row' }, label),
      h(
        'td',
        {},
        button(`step ${i + 1}`, () => this.view.select(i), { class: 'link' }),
      ),
      h('td', { class: `hue${lane} who` }, actorOf(model, i)),
      h('td', {}, h('code', {}, `${letter} ${name} ${values}`)),
      h('td', { class: 'where' }, where),
    );
  }
}

function badgeOf({ verdict, invariant }: RaceModel['race']): string {
  return verdict === 'broken' ? `broken ${invariant ?? ''}`.trim() : 'holds';
}

function actorOf(model: RaceModel, i: number): string {
  return model.actorName(model.step(i).actor);
}

/** The message without the invariant's name, which the badge says. */
function withoutName(message: string, invariant: string | null): string {
  const prefix = `${invariant ?? ''}: `;
  return message.startsWith(prefix) ? message.slice(prefix.length) : message;
}
