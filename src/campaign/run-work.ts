/** Runs a piece of work in this thread. */
import type { CheckOptions } from '../explore/check.ts';
import { fibersFor, strategyFor, sweep } from '../explore/check.ts';
import type { Fibers } from '../explore/fibers.ts';
import type { Complaint } from '../explore/finding.ts';
import { leaveOut } from '../explore/leave-out.ts';
import type { Part } from '../explore/portion.ts';
import { PortionRunner } from '../explore/portion.ts';
import { PreparedQuestion } from '../explore/range.ts';
import { replay } from '../explore/replay.ts';
import type { ScenarioModule } from '../explore/scenario.ts';
import { formatSeed, parseSeed } from '../explore/seed.ts';
import { shrink } from '../explore/shrink.ts';
import { Covered, PairCoverage, actorPlace } from './coverage.ts';
import { fuzz } from './fuzz/fuzz.ts';
import { shrinkableOf } from './shrinkable.ts';
import { Sightings, sightingOf } from './sightings.ts';
import type { DrawWork, FuzzWork, SearchWork, ShrinkWork, Work, WorkResult } from './work.ts';
import { NOTHING } from './work.ts';

/** Steps by which a schedule is sought for a program with an operation less. */
const SEARCH_STEPS = 30_000;
/** What breaks a drawn program is made smaller later, once for all shards. */
const UNSHRUNK = { executions: 1, total: 0 };

export class WorkRunner {
  private readonly prepared: PreparedQuestion;
  private readonly portions: PortionRunner;
  private readonly find: ScenarioModule['findScenario'];
  /** A shared word that goes up with every execution that begins. */
  private beat: Int32Array;

  /** @param find - gives a scenario by name. */
  constructor(find: ScenarioModule['findScenario']) {
    this.find = find;
    this.prepared = new PreparedQuestion(find);
    this.portions = new PortionRunner(find);
    this.beat = new Int32Array(1);
  }

  /** @param beat - a shared word: executions begun, for whoever watches. */
  run(work: Work, beat: Int32Array): WorkResult {
    this.beat = beat;
    switch (work.kind) {
      case 'draw':
        return this.draw(work);
      case 'search':
        return this.search(work);
      case 'fuzz':
        return this.fuzz(work);
      case 'shrink':
        return this.shrink(work);
    }
  }

  private begins(): void {
    Atomics.add(this.beat, 0, 1);
  }

  private draw({ question, first, executions }: DrawWork): WorkResult {
    const { memory, strategy, seed, depth, ...subject } = question;
    const how = { memory, strategy, seed, depth, first, executions };
    const goOn = (): true => {
      this.begins();
      return true;
    };
    const options: CheckOptions = { ...this.prepared.of(question), ...how, subject, goOn };
    const coverage = new PairCoverage();
    const covered = new Covered(strategyFor(options), coverage, options.machine, actorPlace);
    const fibers = fibersFor(options, covered);
    const sightings = new Sightings(options);
    const { blocked, discarded, steps, ...swept } = sweep(
      options,
      fibers,
      noteIn(sightings, fibers),
    );
    const tally = { executions: swept.executions, blocked, discarded, steps };
    return { ...NOTHING, ...tally, sightings: sightings.list(), pairs: coverage.bits() };
  }

  private search(work: SearchWork): WorkResult {
    const { question, part, executions, most } = work;
    const onBegin = (): void => this.begins();
    const run = { question, part, executions, seconds: Infinity, onBegin };
    let portioned = this.portions.run(run);
    if (portioned.share?.chooses === true && isWhole(part)) {
      portioned = this.portions.run({ ...run, executions: most ?? Number.MAX_SAFE_INTEGER });
    }
    const { result, decisions, share } = portioned;
    const { verdict: _verdict, exhausted, finding, ...tally } = result;
    const { memory, strategy, seed, depth, ...subject } = question;
    const options = { ...this.prepared.of(question), memory, strategy, seed, depth, subject };
    const sightings = finding === undefined ? [] : [sightingOf(options, finding)];
    return { ...NOTHING, ...tally, sightings, left: { decisions, share }, exhausted };
  }

  private fuzz({ question, executions }: FuzzWork): WorkResult {
    const { design, memory, strategy, seed } = question;
    const {
      list,
      pairs: _pairs,
      ...tally
    } = fuzz({
      design,
      memory,
      strategy,
      seed,
      executions,
      seconds: Infinity,
      shrink: UNSHRUNK,
      onProgress: () => {
        this.begins();
        return false;
      },
    });
    const sightings = list.map(({ times, ...finding }) => {
      const { scenario } = parseSeed(finding.seed);
      const subject = { scenario, design, param: 0 };
      const options = { ...this.find(scenario).prepare(subject), memory, strategy, subject };
      return { ...sightingOf(options, finding), scenario: question.scenario, times };
    });
    return { ...NOTHING, executions: tally.executions, steps: tally.steps, sightings };
  }

  private shrink({ seed: text, seconds }: ShrinkWork): WorkResult {
    const seed = parseSeed(text);
    const { scenario: name, design, param, memory, strategy, without = [] } = seed;
    const scenario = this.find(name);
    const program = shrinkableOf({ scenario, design, param, memory, find: this.find });
    const before = replay(leaveOut(program.options, without), seed, true);
    if (before.complaint === null) throw new RangeError(`nothing breaks under the seed ${text}`);
    const { schedule, choices } = before;
    const limits = { without, seconds, searchSteps: SEARCH_STEPS };
    const found = { ...before.complaint, schedule, choices };
    const shrunk = shrink(program, found, () => this.begins(), limits);
    const subject = { ...shrunk.program.options.subject, without: shrunk.without };
    const smaller = formatSeed({
      ...seed,
      scenario: subject.scenario ?? name,
      param: subject.param ?? param,
      schedule: shrunk.finding.schedule,
      choices: shrunk.finding.choices,
      without: shrunk.without,
    });
    const options = { ...shrunk.program.options, strategy: strategy as 'pct', subject };
    const left = leaveOut(options, shrunk.without);
    const sighting = sightingOf(left, { ...shrunk.finding, seed: smaller });
    return { ...NOTHING, sightings: [sighting] };
  }
}

function isWhole(part: Part): boolean {
  return 'subtree' in part && part.subtree.path.length === 0;
}

function noteIn(sightings: Sightings, fibers: Fibers): (complaint: Complaint) => true {
  return (complaint) => {
    sightings.note(complaint, fibers);
    return true;
  };
}
