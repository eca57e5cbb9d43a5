/** What stands above and below the table of a race: the verdict first, and how to replay it. */
import { legend, placeText, stepText, waitText } from './cells.ts';
import type { Line, Marks } from './lines.ts';
import { wrapped } from './lines.ts';
import type { RaceRecord, RaceStep } from './race.ts';
import { valueText } from './race.ts';
import type { Row } from './rows.ts';
import { waitCycle } from './stuck.ts';

/** Collects lines that fit. */
class Text {
  readonly lines: Line[] = [];
  private readonly width: number;

  constructor(width: number) {
    this.width = width;
  }

  /** Adds a text; what does not fit goes below, `indent` to the right. */
  add(text: string, style: Line['style'] = 'plain', indent = 2): void {
    const room = this.width - indent;
    const [first = '', ...rest] = wrapped(text, room);
    this.lines.push({ text: ' '.repeat(style === 'title' ? 0 : 2) + first, style });
    for (const more of rest) this.lines.push({ text: ' '.repeat(indent) + more, style });
  }

  gap(): void {
    this.lines.push({ text: '', style: 'plain' });
  }
}

/** The verdict, the rule, the words that show it, and the two accesses or the cycle of waits. */
export function headLines(race: RaceRecord, width: number, marks: Marks): Line[] {
  const text = new Text(width);
  const { scenario, design, memory, invariant, message, rule, shows } = race;
  const under = [design, memory].filter((part) => part !== '').join(', ');
  const verdict = invariant === null ? 'nothing broke' : `BROKEN ${invariant}`;
  text.add(`${scenario}  ${verdict}  [${under}]`, 'title');
  if (message !== null) text.add(message, 'plain', 4);
  if (rule !== null) text.add(rule, 'quiet', 4);
  if (shows.length > 0) {
    const words = shows.map(({ object, value }) => {
      const word = race.objects[object];
      return `${word?.name} = ${valueText(word, value)}`;
    });
    text.add(`it read  ${words.join(', ')}`, 'plain', 11);
  }
  if (race.conflict !== null) addPair(text, race, race.conflict, marks);
  if (race.waits.length > 0) addWaits(text, race);
  if (race.loop !== null) {
    text.gap();
    text.add(`the last ${race.loop.length} steps repeat, ${race.loop.times} times until the end`);
  }
  return text.lines;
}

function addPair(
  text: Text,
  race: RaceRecord,
  pair: readonly [number, number],
  marks: Marks,
): void {
  const [first, then] = pair.map((i) => race.steps[i] as RaceStep) as [RaceStep, RaceStep];
  const label = then.object === first.object ? 'then ' : 'broke';
  text.gap();
  text.add(pairText('first', race, pair[0], marks), 'race', 9);
  text.add(pairText(label, race, pair[1], marks), 'race', 9);
  const [a, b] = [pair[0] + 1, pair[1] + 1];
  text.add(
    race.ordered === true
      ? `order  step ${a} comes before step ${b} by locks, release and acquire`
      : `order  nothing orders step ${b} after step ${a}: no lock, no release and acquire`,
    'plain',
    9,
  );
}

function pairText(label: string, race: RaceRecord, i: number, marks: Marks): string {
  const step = race.steps[i] as RaceStep;
  const who = race.actors[step.actor]?.name ?? '';
  const what = stepText(race, step, marks);
  return `${label}  step ${i + 1}, ${who}: ${what}  ${placeText(race, step.stack)}`;
}

/** Who waits for whom; first those who wait in a circle. */
function addWaits(text: Text, race: RaceRecord): void {
  const cycle = waitCycle(race.waits);
  const others = race.waits.filter((wait) => !cycle.includes(wait));
  text.gap();
  if (cycle.length > 1) text.add(`${cycle.length} actors wait for each other:`);
  for (const { actor, object, kind, operands, holder, stack } of [...cycle, ...others]) {
    const word = race.objects[object];
    const wanted = word === undefined ? '' : waitText(word, kind, operands);
    const by =
      holder === null
        ? ''
        : `, held by ${race.actors[holder.actor]?.name} since step ${holder.step + 1}`;
    const place = placeText(race, stack);
    text.add(`${race.actors[actor]?.name} waits for ${wanted}${by}  ${place}`, 'race', 6);
  }
}

/** The legend, the counts and the fingerprint. */
export function tailLines(
  race: RaceRecord,
  rows: readonly Row[],
  width: number,
  marks: Marks,
): Line[] {
  const text = new Text(width);
  text.add(legend(marks), 'quiet');
  text.add(countText(race, rows));
  const { stats } = race;
  if (stats !== null) text.add(statsText(stats));
  if (race.invariant !== null) text.add(`race    ${race.fingerprint}`, 'plain', 10);
  return text.lines;
}

function countText({ steps, preemptions, switches }: RaceRecord, rows: readonly Row[]): string {
  const hidden = rows.reduce(
    (sum, row) => sum + (row.type === 'fold' ? row.to - row.from + 1 : 0),
    0,
  );
  const left = hidden === 0 ? '' : `; ${hidden} that nobody else sees are left out (--all)`;
  const counts = [
    counted(steps.length, 'step'),
    counted(switches.length, 'switch', 'switches'),
    counted(preemptions, 'preemption'),
  ];
  return counts.join(', ') + left;
}

function statsText({ executions, rate, steps, preemptions, seconds }: RaceStats): string {
  return [
    ...(executions === undefined ? [] : [`found at execution ${executions}`]),
    ...(rate === undefined ? [] : [`${(rate * 100).toPrecision(3)} % of executions break`]),
    ...(steps === undefined ? [] : [`from ${steps.found} steps to ${steps.min}`]),
    ...(preemptions === undefined
      ? []
      : [`from ${preemptions.found} preemptions to ${preemptions.min}`]),
    ...(seconds === undefined ? [] : [`${seconds.toFixed(2)} s`]),
  ].join(', ');
}

type RaceStats = NonNullable<RaceRecord['stats']>;

/** `1 step`, `2 steps`. */
export function counted(n: number, one: string, many = `${one}s`): string {
  return `${n} ${n === 1 ? one : many}`;
}
