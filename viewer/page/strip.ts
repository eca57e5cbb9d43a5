/**
 * The whole race at a glance, above the slider: who ran when, the race itself, and how likely it is
 * to break from each step on, once that is known. A picture of what the rows say.
 */
import { h } from './dom.ts';
import { nextFrame } from './later.ts';
import type { View } from './view.ts';

const HEIGHT = 34;
const LINE = 2;

export class Strip {
  readonly element = h('canvas', { class: 'strip', 'aria-hidden': 'true' });
  private readonly view: View;
  /** By step: the share of executions that break from there on; NaN where nobody tried. */
  private odds: Float32Array | null = null;

  constructor(view: View) {
    this.view = view;
    const soon = nextFrame(() => this.draw());
    new ResizeObserver(soon).observe(this.element);
    view.listen((what) => {
      if (what === 'race') this.odds = null;
      soon();
    });
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', soon);
  }

  setOdds(odds: Float32Array): void {
    this.odds = odds;
    this.draw();
  }

  draw(): void {
    const { element } = this;
    const context = element.getContext('2d');
    const width = element.clientWidth;
    const { model, selected } = this.view;
    if (context === null || width === 0 || model.length === 0) return;
    const ratio = devicePixelRatio;
    element.width = width * ratio;
    element.height = HEIGHT * ratio;
    context.scale(ratio, ratio);
    // A canvas knows no light-dark(): the element's own colour is what it comes to.
    const color = (name: string): string => {
      element.style.color = `var(${name})`;
      return getComputedStyle(element).color;
    };
    const x = (step: number): number => (step / model.length) * width;
    this.drawActors(context, x, color);
    const one = Math.max(1.5, width / model.length);
    context.fillStyle = color('--bad');
    for (const step of model.race.conflict ?? []) {
      context.fillRect(x(step), 0, Math.max(one, LINE), HEIGHT);
    }
    this.drawOdds(context, x, color);
    context.fillStyle = color('--ink');
    context.fillRect(x(selected), 0, Math.max(one, LINE), HEIGHT);
  }

  /** A row for each lane, as thick as there is room. */
  private drawActors(
    context: CanvasRenderingContext2D,
    x: (step: number) => number,
    color: (name: string) => string,
  ): void {
    const { lanes, race, length } = this.view.model;
    const row = HEIGHT / Math.max(1, lanes.length);
    const hues = lanes.map((_, lane) => color(`--hue${lane % 8}`));
    const laneOf = new Map(lanes.map((actor, lane) => [actor, lane]));
    for (let from = 0; from < length;) {
      const actor = race.steps[from]?.actor ?? 0;
      let to = from + 1;
      while (to < length && race.steps[to]?.actor === actor) to++;
      const lane = laneOf.get(actor) ?? 0;
      context.fillStyle = hues[lane] ?? '';
      const width = Math.max(1, x(to) - x(from));
      context.fillRect(x(from), lane * row + 1, width, Math.max(1, row - 2));
      from = to;
    }
  }

  private drawOdds(
    context: CanvasRenderingContext2D,
    x: (step: number) => number,
    color: (name: string) => string,
  ): void {
    if (this.odds === null) return;
    context.strokeStyle = color('--bad');
    context.lineWidth = 1.5;
    context.beginPath();
    this.odds.forEach((share, step) => {
      if (Number.isNaN(share)) return;
      context.lineTo(x(step + 0.5), (1 - share) * (HEIGHT - 4) + 2);
    });
    context.stroke();
  }
}
