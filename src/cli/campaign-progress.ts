/** A campaign as it runs: a line on a terminal, findings as they come, or NDJSON. */
import type { CampaignEvent, CampaignTotals } from '../campaign/events.ts';
import type { CampaignRecord, SightingRecord } from '../campaign/store/records.ts';
import { durationText } from './duration.ts';
import { findingJson } from './results-json.ts';
import { LiveLine, bold, print, red, short } from './output.ts';
import { pasteable } from './saved.ts';

const TICK_MS = 1000;
/** Rates are those of the last seconds. */
const WINDOW_S = 30;

export interface ProgressOptions {
  readonly json: boolean;
  /** Time at which the campaign ends, if it does. */
  readonly seconds: number;
}

interface Sample {
  readonly atMs: number;
  readonly executions: number;
  readonly done: number;
}

export class CampaignProgress {
  private readonly line = new LiveLine();
  private readonly options: ProgressOptions;
  private readonly fromMs = performance.now();
  private readonly samples: Sample[] = [];
  private executions = 0;
  private findings = 0;
  private done: number | null = null;
  private timer: NodeJS.Timeout | undefined;

  constructor(options: ProgressOptions) {
    this.options = options;
  }

  /** @param known - what the store holds already. */
  start(campaign: CampaignRecord, known: CampaignTotals, slots: number, store: string): void {
    this.executions = known.executions;
    this.findings = known.findings;
    this.sample();
    if (this.options.json) {
      const { id, name, code, plan, cells } = campaign;
      const about = { id, name, code, plan, cells: cells.length, workers: slots, store };
      this.tell('campaign.start', {
        ...about,
        executions: known.executions,
        node: process.version,
      });
    }
    this.timer = setInterval(() => this.tick(), TICK_MS);
  }

  readonly onEvent = (event: CampaignEvent): void => {
    switch (event.t) {
      case 'shard':
        this.executions += event.record.executions;
        this.done = event.progress;
        if (this.options.json) {
          const { executions, blocked, discarded, steps, milliseconds, failure } = event.record;
          const tally = { executions, blocked, discarded, steps, milliseconds };
          const { cell, number } = event;
          this.tell('shard', { cell, shard: number, ...tally, ...(failure && { failure }) });
        }
        break;
      case 'finding':
        this.findings++;
        if (this.options.json) this.tell('finding', findingJson(event.finding, []));
        else this.describe(event.finding);
        break;
      case 'shrunk': {
        const { id, from, to } = event;
        const steps = [from.steps, to.steps];
        const preemptions = [from.preemptions, to.preemptions];
        if (this.options.json) this.tell('shrunk', { id, steps, preemptions, seed: to.seed });
        break;
      }
    }
  };

  private describe({ id, invariant, message, scenario, design, seed }: SightingRecord): void {
    this.line.clear();
    const where = [scenario, design].filter((word) => word !== '').join(' ');
    print(`${red(invariant)}  ${bold(where)}  ${id}`);
    print(`  ${message}`);
    print(`  ${seed.startsWith('gntrace ') ? seed : `gntrace replay ${pasteable(seed)}`}`);
  }

  private sample(): void {
    this.samples.push({
      atMs: performance.now(),
      executions: this.executions,
      done: this.done ?? 0,
    });
    if (this.samples.length > WINDOW_S) this.samples.shift();
  }

  private tick(): void {
    this.sample();
    const perSecond = this.rate(({ executions }) => executions);
    const secondsLeft = this.secondsLeft();
    const { executions, findings, done } = this;
    const elapsedMs = Math.round(performance.now() - this.fromMs);
    if (this.options.json) {
      const left = secondsLeft === null ? {} : { leftMs: Math.round(secondsLeft * 1000) };
      const rate = Math.round(perSecond);
      this.tell('progress', { executions, perSecond: rate, findings, elapsedMs, done, ...left });
      return;
    }
    const part = done === null ? '' : `${(done * 100).toFixed(0)} %, `;
    const left = secondsLeft === null ? '' : `, ${durationText(secondsLeft)} left`;
    this.line.show(
      `${part}${short(executions)} executions, ${short(perSecond)}/s, ` +
        `${findings} findings, ${durationText(elapsedMs / 1000)}${left}`,
    );
  }

  private rate(of: (sample: Sample) => number): number {
    const [first, last] = [this.samples[0] as Sample, this.samples.at(-1) as Sample];
    const seconds = (last.atMs - first.atMs) / 1000;
    return seconds === 0 ? 0 : (of(last) - of(first)) / seconds;
  }

  private secondsLeft(): number | null {
    const toDeadline = this.options.seconds - (performance.now() - this.fromMs) / 1000;
    const rate = this.rate(({ done }) => done);
    const toEnd = this.done === null || rate <= 0 ? Infinity : (1 - this.done) / rate;
    const left = Math.min(toDeadline, toEnd);
    return left === Infinity ? null : Math.max(left, 0);
  }

  /** One line of NDJSON. */
  tell(t: string, what: object): void {
    print(JSON.stringify({ v: 1, t, ...what }));
  }

  stop(): void {
    clearInterval(this.timer);
    this.line.clear();
  }
}
