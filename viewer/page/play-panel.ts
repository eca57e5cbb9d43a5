/**
 * Play: at the selected step another actor goes, or a choice of data falls out otherwise, and the
 * rest follows, computed here and now. What was done can be taken back; the new seed shows the same
 * execution anywhere.
 */
import { CHOOSE } from '../../src/shared/kinds.ts';
import type { Future, Played } from '../engine/protocol.ts';
import { button, h, replace } from './dom.ts';
import { Engine } from './engine.ts';
import { nextFrame } from './later.ts';
import { RaceModel } from './model.ts';
import type { View } from './view.ts';
import { tell } from './words.ts';

/** Where odds are drawn, and how many executions from each place. */
const ODDS_PLACES = 40;
const ODDS_RUNS = 25;

/** One execution of the history. */
interface Move {
  readonly model: RaceModel;
  readonly seed: string;
  /** What was done to come here; empty for the recorded one. */
  readonly did: string;
  /** Step at which it was done. */
  readonly step: number;
}

export class PlayPanel {
  readonly element = h('div', {
    class: 'play',
    tabindex: 0,
    role: 'region',
    'aria-label': 'Play: choose who goes',
  });
  private readonly view: View;
  private readonly engine = new Engine();
  private readonly say: (text: string) => void;
  private readonly onOdds: (odds: Float32Array) => void;
  private readonly moves: Move[];
  private futures: { seed: string; step: number; of: readonly Future[] } | null = null;
  private problem = '';
  private busy = false;

  constructor(view: View, say: (text: string) => void, onOdds: (odds: Float32Array) => void) {
    this.view = view;
    this.say = say;
    this.onOdds = onOdds;
    const { model } = view;
    this.moves = [{ model, seed: model.race.seed, did: '', step: view.selected }];
    const soon = nextFrame(() => this.draw());
    view.listen((what) => {
      if (what === 'step' || what === 'race') soon();
    });
  }

  /** The seed of what is shown. */
  get seed(): string {
    return this.current.seed;
  }

  /** Is it another execution than the recorded one? */
  get isPlayed(): boolean {
    return this.moves.length > 1;
  }

  private get current(): Move {
    const last = this.moves.at(-1);
    if (last === undefined) throw new RangeError('no move');
    return last;
  }

  /** Shows the execution of a seed from a link. */
  async open(seed: string): Promise<void> {
    if (seed === this.seed) return;
    await this.play('from a link', this.view.selected, () =>
      this.engine.ask({ ask: 'show', seed }),
    );
  }

  /** Begins anew with another race. */
  begin(model: RaceModel): void {
    this.moves.length = 0;
    this.moves.push({ model, seed: model.race.seed, did: '', step: 0 });
    this.futures = null;
    this.draw();
  }

  /** Takes the last choice back. */
  undo(): void {
    if (this.moves.length < 2) {
      this.say('There is nothing to take back.');
      return;
    }
    const { step } = this.current;
    this.moves.pop();
    this.problem = '';
    this.view.show(this.current.model, step);
    this.say('Taken back.');
  }

  /** Lets `process` go at the selected step. */
  async turn(process: number): Promise<void> {
    const { selected: step, model } = this.view;
    const did = `step ${step + 1}: ${model.processName(process)}`;
    const { seed } = this;
    await this.play(did, step, () => this.engine.ask({ ask: 'turn', seed, step, process }));
  }

  private async choose(value: number): Promise<void> {
    const { selected: step } = this.view;
    const { seed } = this;
    const did = `step ${step + 1}: ${value} chosen`;
    await this.play(did, step, () => this.engine.ask({ ask: 'choice', seed, step, value }));
  }

  private async play(did: string, step: number, ask: () => Promise<Played>): Promise<void> {
    if (this.busy) return;
    this.busy = true;
    this.problem = '';
    try {
      const played = await ask();
      const model = new RaceModel(played);
      this.moves.push({ model, seed: played.seed, did, step });
      this.busy = false;
      this.view.show(model, step);
      this.say(`${did}. ${verdictOf(model)}`);
    } catch (error) {
      this.problem = error instanceof Error ? error.message : String(error);
      this.say(this.problem);
    } finally {
      this.busy = false;
      this.draw();
    }
  }

  /** Looks only while it is seen. */
  draw(): void {
    if (this.element.closest('[hidden]') !== null) return;
    if (!Engine.exists()) {
      replace(
        this.element,
        h('p', {}, 'This page holds no engine, or this browser runs no workers.'),
      );
      return;
    }
    replace(
      this.element,
      this.verdict(),
      this.problem === '' ? null : h('p', { class: 'problem' }, this.problem),
      this.choices(),
      this.history(),
      this.share(),
    );
    void this.look();
  }

  private verdict(): HTMLElement {
    const { model } = this.current;
    const broken = model.race.verdict === 'broken';
    const played = this.moves.length > 1;
    return h(
      'p',
      { class: broken ? 'verdict broken' : 'verdict safe' },
      h('strong', {}, broken ? `breaks ${model.race.invariant ?? ''}` : 'nothing breaks'),
      ` in ${model.length} steps, ${model.race.preemptions} preemptions`,
      played ? '' : ', as recorded',
    );
  }

  private choices(): HTMLElement {
    const { model, selected } = this.view;
    if (model.length === 0) return h('div', {});
    const step = model.step(selected);
    const goes = model.processAt(selected);
    const enabled = model.enabledAt(selected);
    const items = enabled.map((process) => this.candidate(process, process === goes));
    const data = step.kind === CHOOSE ? this.data(selected) : null;
    return h(
      'div',
      {},
      h('h3', {}, `Who goes at step ${selected + 1}?`),
      h('ul', { class: 'candidates' }, ...items),
      enabled.length < 2 ? h('p', {}, 'Nobody else can go here.') : null,
      data,
    );
  }

  /** Somebody who could go, with what comes of it. */
  private candidate(process: number, goes: boolean): HTMLElement {
    const { model, selected } = this.view;
    const lane = model.lanes.indexOf(process);
    const next = process < model.race.actors.length ? model.nextOf(process, selected) : -1;
    const what = next < 0 ? '' : whatNext(model, next);
    const future = this.futureOf(process);
    const outcome =
      future === undefined
        ? ''
        : future.invariant === null
          ? 'nothing breaks'
          : `breaks ${future.invariant}`;
    const name = model.processName(process);
    const inside = [
      h('b', { class: lane < 0 ? '' : `hue${lane % 8}` }, name),
      h('span', { class: 'next' }, what),
      goes
        ? h('span', { class: 'outcome' }, 'goes here')
        : h('span', { class: future?.invariant == null ? 'outcome' : 'outcome broken' }, outcome),
    ];
    return h(
      'li',
      {},
      goes
        ? h('div', { class: 'candidate goes' }, ...inside)
        : h(
            'button',
            { type: 'button', class: 'candidate', click: () => void this.turn(process) },
            ...inside,
          ),
    );
  }

  private data(selected: number): HTMLElement {
    const { model } = this.view;
    const { result, operands } = model.step(selected);
    const count = operands?.[0] ?? 1;
    const values = Array.from({ length: count }, (_, value) =>
      button(`choose ${value}`, () => void this.choose(value), {
        disabled: value === result,
        'aria-pressed': value === result ? 'true' : 'false',
      }),
    );
    return h('div', { class: 'group' }, h('h3', {}, 'The choice of data'), ...values);
  }

  private history(): HTMLElement | null {
    if (this.moves.length < 2) return null;
    return h(
      'div',
      {},
      h('h3', {}, 'Played'),
      h('ol', { class: 'moves' }, ...this.moves.slice(1).map(({ did }) => h('li', {}, did))),
      button('take back (u)', () => this.undo()),
    );
  }

  private share(): HTMLElement {
    const command = `gntrace replay ${this.seed}`;
    return h(
      'div',
      {},
      h('h3', {}, 'The same anywhere'),
      copyBox(command, this.say),
      h(
        'div',
        { class: 'group' },
        button('copy a link to this', () => void this.copyLink()),
        button('how likely from each step?', () => void this.odds()),
      ),
    );
  }

  private async copyLink(): Promise<void> {
    await copyText(linkOf(this.view.selected, this.seed), this.say);
  }

  private futureOf(process: number): Future | undefined {
    const { futures } = this;
    if (futures?.seed !== this.seed || futures.step !== this.view.selected) return undefined;
    return futures.of.find((future) => future.process === process);
  }

  /** Finds out what comes of each choice, once a step. */
  private async look(): Promise<void> {
    const { seed } = this;
    const { selected: step, model } = this.view;
    if (this.futures?.seed === seed && this.futures.step === step) return;
    const processes = model.length === 0 ? [] : model.enabledAt(step);
    if (processes.length < 2) return;
    this.futures = { seed, step, of: [] };
    try {
      const of = await this.engine.ask({ ask: 'futures', seed, step, processes });
      if (this.seed !== seed || this.view.selected !== step) return;
      this.futures = { seed, step, of };
      this.draw();
    } catch (error) {
      this.problem = error instanceof Error ? error.message : String(error);
      this.draw();
    }
  }

  /** Draws executions from places along the race, and shows how many break. */
  private async odds(): Promise<void> {
    const { seed } = this;
    const { length } = this.view.model;
    const by = Math.max(1, Math.ceil(length / ODDS_PLACES));
    const steps = Array.from({ length: Math.ceil(length / by) }, (_, i) => i * by);
    this.say('Drawing executions from every part of the race.');
    const shares = await this.engine.ask({ ask: 'odds', seed, steps, runs: ODDS_RUNS });
    if (this.seed !== seed) return;
    const odds = new Float32Array(length).fill(Number.NaN);
    steps.forEach((step, i) => (odds[step] = shares[i] ?? 0));
    this.onOdds(odds);
    const jump = biggestRise(steps, shares);
    if (jump === null) this.say('The odds hardly change along the race.');
    else {
      const [from, to, a, b] = jump;
      this.say(
        `From step ${from + 1} on ${percent(a)} of executions break, ` +
          `from step ${to + 1} on ${percent(b)}.`,
      );
    }
  }
}

function whatNext(model: RaceModel, next: number): string {
  const { letter, name } = tell(model, next);
  return `next: ${letter} ${name}`;
}

function verdictOf({ race }: RaceModel): string {
  return race.verdict === 'broken' ? `${race.invariant ?? 'It'} breaks.` : 'Nothing breaks.';
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}

/** Where the odds rise most; null if they hardly do. */
function biggestRise(
  steps: readonly number[],
  shares: readonly number[],
): [number, number, number, number] | null {
  let best: [number, number, number, number] | null = null;
  for (let i = 1; i < steps.length; i++) {
    const [a, b] = [shares[i - 1] ?? 0, shares[i] ?? 0];
    if (b - a < 0.1 || (best !== null && b - a <= best[3] - best[2])) continue;
    best = [steps[i - 1] ?? 0, steps[i] ?? 0, a, b];
  }
  return best;
}

/** The page at a step of an execution. */
export function linkOf(step: number, seed: string): string {
  return `${location.href.replace(/#.*$/, '')}#s${step + 1},${seed}`;
}

/** A command to copy. */
export function copyBox(command: string, say: (text: string) => void): HTMLElement {
  const code = h('code', { tabindex: 0 }, command);
  const copy = button('copy', () => void copyText(command, say), { class: 'copy' });
  return h('div', { class: 'copy-box' }, code, copy);
}

async function copyText(text: string, say: (text: string) => void): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
    say('Copied.');
  } catch {
    say('This browser does not let the page copy: select the text instead.');
  }
}
