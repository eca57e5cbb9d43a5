/** A race on the whole page: header, timeline, panels, keys, and the address of what is seen. */
import type { PageData } from '../../src/report/page-data.ts';
import type { RaceRecord } from '../../src/report/race.ts';
import { Controls } from './controls.ts';
import { button, h } from './dom.ts';
import { Header } from './header.ts';
import { toConflict, toRace, toSwitch, toWrite } from './jumps.ts';
import type { Key } from './keys.ts';
import { helpDialog, listenToKeys } from './keys.ts';
import { whenQuiet } from './later.ts';
import { MachinePanel } from './machine-panel.ts';
import { RaceModel } from './model.ts';
import { PlayPanel } from './play-panel.ts';
import { SourcePanel } from './source-panel.ts';
import { StatePanel } from './state-panel.ts';
import { StepPanel } from './step-panel.ts';
import { Tabs } from './tabs.ts';
import { Timeline } from './timeline.ts';
import { View } from './view.ts';
import { sentence } from './words.ts';

/** Rows of a page key. */
const PAGE = 20;
/** Milliseconds without a key before the address and the ear are told. */
const QUIET = 150;
const THEMES = ['', 'light', 'dark'] as const;

export class App {
  readonly element: HTMLElement;
  private readonly view: View;
  private readonly said = h('div', { class: 'said', role: 'status', 'aria-live': 'polite' });
  private readonly timeline: Timeline;
  private readonly controls: Controls;
  private readonly play: PlayPanel;
  private readonly state: StatePanel;
  private readonly tabs: Tabs;
  private readonly help: HTMLDialogElement;

  constructor({ race, image, sources }: PageData) {
    const view = new View(new RaceModel({ race, image }));
    this.view = view;
    this.timeline = new Timeline(view);
    this.controls = new Controls(view, this.say);
    const source = new SourcePanel(sources);
    const step = new StepPanel(view, source);
    this.state = new StatePanel(view);
    const machine = new MachinePanel(view);
    this.play = new PlayPanel(view, this.say, (odds) => this.controls.strip.setOdds(odds));
    this.tabs = new Tabs('At this step', [
      { name: 'State', panel: this.state.element, shown: () => this.state.draw() },
      { name: 'Machine', panel: machine.element, shown: () => machine.draw() },
      { name: 'Play', panel: this.play.element, shown: () => this.play.draw() },
    ]);
    const keys = this.keys();
    this.help = helpDialog(keys);
    const header = new Header(view, this.say, this.actions());
    this.element = h(
      'div',
      { class: 'app' },
      header.element,
      h(
        'main',
        {},
        h(
          'section',
          { class: 'left', 'aria-label': 'Interleaving' },
          this.controls.element,
          this.timeline.element,
        ),
        h(
          'div',
          { class: 'right' },
          h('div', { class: 'upper' }, step.element, source.element),
          this.tabs.element,
        ),
      ),
      this.said,
      this.help,
    );
    // Browsers allow few changes of the address, and speech falls behind fast keys.
    const write = whenQuiet(QUIET, () => this.writeAddress());
    const announce = whenQuiet(QUIET, () => this.say(sentence(view.model, view.selected)));
    view.listen((what) => {
      if (what === 'step') announce();
      if (what === 'step' || what === 'race') write();
    });
    listenToKeys(keys);
  }

  /** Call when the element is in the page. */
  begin(): void {
    const asked = readAddress(location.hash);
    if (asked !== null) this.view.select(asked.step);
    this.timeline.begin();
    this.state.draw();
    if (asked !== null && asked.seed !== '') void this.play.open(asked.seed);
    addEventListener('hashchange', () => {
      const next = readAddress(location.hash);
      if (next !== null) this.view.select(next.step);
    });
  }

  /** The record of what is shown. */
  get record(): RaceRecord {
    return this.view.model.race;
  }

  private readonly say = (text: string): void => {
    this.said.textContent = text;
  };

  private actions(): HTMLElement[] {
    return [
      button('light or dark (t)', () => this.theme(), { class: 'icon' }, '◐'),
      button('keys (?)', () => this.help.showModal(), { class: 'icon' }, '?'),
    ];
  }

  private keys(): Key[] {
    const { view, controls } = this;
    const jump = (j: typeof toSwitch, by: 1 | -1) => (): void => controls.jump(j, by);
    return [
      { keys: ['ArrowDown', 'j', 'n'], does: 'next step', run: () => view.move(1) },
      { keys: ['ArrowUp', 'k', 'p'], does: 'step before', run: () => view.move(-1) },
      { keys: ['PageDown'], does: 'many steps on', run: () => view.move(PAGE) },
      { keys: ['PageUp'], does: 'many steps back', run: () => view.move(-PAGE) },
      { keys: ['Home'], does: 'first step', run: () => view.move(-Infinity) },
      { keys: ['End'], does: 'last step', run: () => view.move(Infinity) },
      { keys: ['c'], does: 'next conflicting access', run: jump(toConflict, 1) },
      { keys: ['C'], does: 'conflicting access before', run: jump(toConflict, -1) },
      { keys: ['s'], does: 'next switch', run: jump(toSwitch, 1) },
      { keys: ['S'], does: 'switch before', run: jump(toSwitch, -1) },
      { keys: ['w'], does: 'next write of this word', run: jump(toWrite, 1) },
      { keys: ['W'], does: 'who wrote this last?', run: jump(toWrite, -1) },
      { keys: ['r'], does: 'the race: first and second access', run: jump(toRace, 1) },
      { keys: ['m'], does: 'every step, or what matters', run: () => controls.toggleMatters() },
      { keys: ['a'], does: 'arrows of all steps', run: () => controls.toggleArrows() },
      { keys: ['d'], does: 'shade what is unrelated', run: () => controls.toggleDim() },
      { keys: ['/'], does: 'filter by word or function', run: () => controls.search.focus() },
      { keys: ['x'], does: 'show all again', run: () => controls.clear() },
      { keys: ['1'], does: 'state', run: () => this.tabs.show(0) },
      { keys: ['2'], does: 'machine', run: () => this.tabs.show(1) },
      { keys: ['3'], does: 'play', run: () => this.tabs.show(2) },
      { keys: ['u'], does: 'take back what was played', run: () => this.play.undo() },
      { keys: ['t'], does: 'light or dark', run: () => this.theme() },
      { keys: ['?'], does: 'these keys', run: () => this.help.showModal() },
      { keys: ['Escape'], does: 'back to the timeline', run: () => this.escape() },
    ];
  }

  private escape(): void {
    if (this.help.open) this.help.close();
    else this.timeline.focus();
  }

  private theme(): void {
    const root = document.documentElement;
    const at = THEMES.indexOf((root.dataset['theme'] ?? '') as (typeof THEMES)[number]);
    const next = THEMES[(at + 1) % THEMES.length] ?? '';
    if (next === '') delete root.dataset['theme'];
    else root.dataset['theme'] = next;
    this.controls.strip.draw();
    this.say(next === '' ? 'As the system has it.' : `${next}.`);
  }

  /** The address names the step, and the seed if another execution is played. */
  private writeAddress(): void {
    const seed = this.play.isPlayed ? `,${this.play.seed}` : '';
    history.replaceState(null, '', `#s${this.view.selected + 1}${seed}`);
  }
}

/** `#s11` or `#s11,gnt1.…`. */
function readAddress(hash: string): { step: number; seed: string } | null {
  const match = /^#s(\d+)(?:,(.+))?$/.exec(hash);
  if (match === null) return null;
  return { step: Number(match[1]) - 1, seed: match[2] ?? '' };
}
