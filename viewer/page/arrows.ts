/**
 * Arrows over the timeline: what the selected step depends on and what depends on it, and the two
 * accesses that decide. With lanes they run from lane to lane, else as arcs beside the rows.
 * Everything they say is in the panel of the step in words.
 */
import type { EdgeKind } from '../../src/report/race.ts';
import { replace, svg } from './dom.ts';
import type { View } from './view.ts';

/** Rows that are drawn, and how. */
export interface Sight {
  readonly from: number;
  readonly to: number;
  readonly height: number;
  readonly lanes: boolean;
  /** Pixels before the first lane and behind the last. */
  readonly left: number;
  readonly right: number;
  /** Of all of it. */
  readonly width: number;
  /** How much wider than others the last lane is. */
  readonly last: number;
}

interface Arrow {
  readonly from: number;
  readonly to: number;
  readonly kind: EdgeKind | 'race';
}

/** With more, nothing could be told apart. */
const MOST = 400;
const CONFLICTS: readonly string[] = ['rf', 'ww', 'rw'];

export class Arrows {
  private readonly view: View;
  private readonly layer = svg('svg', { class: 'arrows', 'aria-hidden': 'true' });

  constructor(view: View) {
    this.view = view;
  }

  /** @param space - the box of the rows; its first lane begins at `sight.left`. */
  draw(space: HTMLElement, sight: Sight): void {
    const { layer } = this;
    if (layer.parentElement !== space) space.append(layer);
    const top = sight.from * sight.height;
    const height = (sight.to - sight.from) * sight.height;
    layer.style.transform = `translateY(${top}px)`;
    layer.setAttribute('height', String(height));
    layer.setAttribute('width', String(sight.width));
    const edges = laneEdges(this.view.model.lanes.length, sight);
    replace(layer, ...this.inSight(sight).map((arrow) => this.path(arrow, sight, edges, top)));
  }

  private inSight({ from, to }: Sight): Arrow[] {
    const { view } = this;
    const { model, selected, rows } = view;
    const { edges, conflict } = model.race;
    const arrows: Arrow[] = [];
    const add = (numbers: Iterable<number>): void => {
      for (const number of numbers) {
        const edge = edges[number];
        if (edge === undefined || arrows.length > MOST) continue;
        const between = edge[0] === conflict?.[0] && edge[1] === conflict[1];
        if (!between) arrows.push({ from: edge[0], to: edge[1], kind: edge[2] });
      }
    };
    if (view.allArrows) {
      const seen = new Set<number>();
      for (let row = from; row < to; row++) {
        const step = rows.step[row] ?? 0;
        if (rows.kind[row] !== 0) continue;
        for (const edge of model.edgesTo(step)) seen.add(edge);
        for (const edge of model.edgesFrom(step)) seen.add(edge);
      }
      add(seen);
    } else if (model.length > 0) {
      add(model.edgesTo(selected));
      add(model.edgesFrom(selected));
    }
    if (conflict !== null) arrows.push({ from: conflict[0], to: conflict[1], kind: 'race' });
    return arrows.filter((arrow) => {
      const [a, b] = [rows.rowOf[arrow.from] ?? 0, rows.rowOf[arrow.to] ?? 0];
      return a !== b && b >= from - 400 && a < to + 400;
    });
  }

  private path({ from, to, kind }: Arrow, sight: Sight, lanes: Lanes, top: number): SVGElement {
    const { model, rows, selected } = this.view;
    const y = (step: number): number => ((rows.rowOf[step] ?? 0) + 0.5) * sight.height - top;
    const [y1, y2] = [y(from), y(to)];
    const lane = (step: number): number => model.lanes.indexOf(model.step(step).actor);
    const [a, b] = [lane(from), lane(to)];
    const line = sight.lanes && a !== b ? across(lanes, a, b, y1, y2) : beside(sight, y1, y2);
    const names = ['arrow', kind === 'race' ? 'race' : CONFLICTS.includes(kind) ? 'data' : 'order'];
    if (from === selected || to === selected) names.push('near');
    const label = kind === 'race' ? '' : kind;
    return svg(
      'g',
      { class: names.join(' '), 'data-from': from, 'data-to': to, 'data-kind': kind },
      svg('path', { d: line.path }),
      svg('path', { class: 'tip', d: line.tip }),
      svg('text', { x: line.x, y: line.y }, label),
    );
  }
}

/** By lane: where its arrows begin and end. */
interface Lanes {
  readonly left: readonly number[];
  readonly right: readonly number[];
}

interface Line {
  readonly path: string;
  readonly tip: string;
  /** Of the label. */
  readonly x: number;
  readonly y: number;
}

/** Lanes share what number and place leave. */
function laneEdges(count: number, { left, right, width: all, last }: Sight): Lanes {
  const width = (all - left - right) / (count - 1 + last);
  const lanes = Array.from({ length: count }, (_, i) => i);
  return {
    left: lanes.map((i) => left + i * width + 3),
    right: lanes.map((i) => left + (i + 1) * width - 12),
  };
}

function across({ left, right }: Lanes, a: number, b: number, y1: number, y2: number): Line {
  const forward = b > a;
  const x1 = (forward ? right[a] : left[a]) ?? 0;
  const x2 = (forward ? left[b] : right[b]) ?? 0;
  const bend = Math.max(18, Math.min(70, Math.abs(x2 - x1) / 2 + 10)) * (forward ? 1 : -1);
  const tip = forward ? -6 : 6;
  return {
    path: `M${x1} ${y1}C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2 + tip / 2} ${y2}`,
    tip: `M${x2 + tip} ${y2 - 4}L${x2} ${y2}L${x2 + tip} ${y2 + 4}Z`,
    x: (x1 + x2) / 2,
    y: (y1 + y2) / 2,
  };
}

/** An arc in front of the rows' text. */
function beside({ left }: Sight, y1: number, y2: number): Line {
  const x = left - 2;
  const bend = Math.min(40, 12 + Math.abs(y2 - y1) / 12);
  return {
    path: `M${x} ${y1}C${x - bend} ${y1} ${x - bend} ${y2} ${x - 4} ${y2}`,
    tip: `M${x - 6} ${y2 - 4}L${x} ${y2}L${x - 6} ${y2 + 4}Z`,
    x: x - bend,
    y: (y1 + y2) / 2,
  };
}
