/**
 * A free-running run from start to summary: makes the machine, starts a thread for each actor,
 * stops the world for checkpoints, watches for the dead, and ends the run
 * when its time is over, when it is interrupted, or when an actor is lost.
 */
import { totalmem } from 'node:os';
import type { Machine } from '../shared/layout.ts';
import { ConfigError, createMachine, machineWords } from '../shared/layout.ts';
import { COUNTER_COUNT } from '../shared/processor.ts';
import { sleep, until, whileAtRest, whileStopped } from './checkpoint.ts';
import { ENDED, runConfig, runTables } from './control.ts';
import { Member } from './crew.ts';
import type { PlannedFault } from './fault.ts';
import { BoardWriter, boardSize, createBoard, startBoard } from './findings.ts';
import type { RunFault, RunResult } from './result.ts';
import { summarize } from './result.ts';
import { Watchdog } from './watchdog.ts';
import type { CreateWorld, World, WorldOptions } from './world.ts';

/** How often the main thread looks after things. */
const LOOP_MS = 4;
const STOPPED_CHECK_EVERY_MS = 250;
const REST_CHECK_EVERY_MS = 1000;
/** Longest stop of the world, and longest way to rest; later the run goes on without. */
const STOP_LIMIT_MS = 300;
const REST_LIMIT_MS = 500;
const PROGRESS_EVERY_MS = 200;
/** How long actors get to leave their programs at the end. */
const LEAVE_MS = 1000;

/** Share of the host's memory that a machine may take. */
const HOST_SHARE = 0.75;

/** What to run. */
export interface RunSpec {
  /** Path of the world's module from an edition's root, without extension. */
  readonly worldModule: string;
  readonly options: WorldOptions;
  readonly seconds: number;
  /** 32 bits. */
  readonly seed: number;
  readonly fault?: PlannedFault | undefined;
  /** Ends the run early. */
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: Progress) => void) | undefined;
  /** Called once the machine is made, before it boots. */
  readonly onMachine?: (() => void) | undefined;
  /** Called once all actors run. */
  readonly onStart?: ((crew: readonly Member[], machine: Machine) => void) | undefined;
}

/** How a run is doing. */
export interface Progress {
  readonly elapsedMs: number;
  /** Operations so far by kind, then retries. */
  readonly counters: Float64Array;
  readonly findings: number;
}

/** The tool itself could not do its work. */
export class RunError extends Error {}

/** One run; made and used once by `runFree`. */
class FreeRun {
  private readonly spec: RunSpec;
  private readonly world: World;
  private readonly machine: Machine;
  private readonly crew: Member[];
  private readonly counters: SharedArrayBuffer;
  private readonly board = createBoard();
  private readonly checker: BoardWriter;
  private watchdog: Watchdog;
  private fault: RunFault | undefined;
  private faultInjected = false;
  private checkpoints = { stopped: 0, atRest: 0, missed: 0 };

  constructor(spec: RunSpec, world: World) {
    this.spec = spec;
    this.world = world;
    const plans = world.actors();
    const config = runConfig(world, plans.length);
    const tables = runTables(world);
    refuseTooLarge(machineWords(tables, config));
    this.machine = createMachine(tables, config);
    spec.onMachine?.();
    world.boot(this.machine);
    this.counters = new SharedArrayBuffer(plans.length * COUNTER_COUNT * 8);
    this.checker = new BoardWriter(this.board);
    this.crew = plans.map(
      (plan, index) =>
        new Member(this.machine, plan, {
          worldModule: spec.worldModule,
          options: spec.options,
          memory: this.machine.memory,
          actors: plans.length,
          index,
          name: plan.name,
          seed: spec.seed,
          counters: this.counters,
          board: this.board,
        }),
    );
    this.watchdog = new Watchdog(this.crew);
  }

  async run(): Promise<RunResult> {
    try {
      await this.start();
      const elapsedMs = await this.loop();
      return await this.finish(elapsedMs);
    } finally {
      await Promise.all(this.crew.map((member) => member.kill()));
    }
  }

  private async start(): Promise<void> {
    const answers = await Promise.all(this.crew.map((member) => member.ready()));
    for (const answer of answers) if (!answer.ok) throw new RunError(answer.message);
    startBoard(this.board);
    this.spec.onStart?.(this.crew, this.machine);
    for (const member of this.crew) void member.start();
    this.watchdog = new Watchdog(this.crew);
  }

  /** @returns how long the actors ran. */
  private async loop(): Promise<number> {
    const began = performance.now();
    const limit = this.spec.seconds * 1000;
    let stoppedAt = began;
    let restedAt = began;
    let reportedAt = began;
    for (;;) {
      await sleep(LOOP_MS);
      const now = performance.now();
      const elapsed = now - began;
      this.inject(elapsed);
      this.fault = this.lookForFault(elapsed);
      if (this.fault !== undefined || this.spec.signal?.aborted === true) return elapsed;
      if (now - reportedAt >= PROGRESS_EVERY_MS) this.reportProgress(elapsed);
      if (now - reportedAt >= PROGRESS_EVERY_MS) reportedAt = now;
      if (elapsed >= limit) return elapsed;
      if (now - restedAt >= REST_CHECK_EVERY_MS) {
        await this.checkAtRest();
        restedAt = performance.now();
      } else if (now - stoppedAt >= STOPPED_CHECK_EVERY_MS) {
        await this.checkStopped();
        stoppedAt = performance.now();
      }
    }
  }

  private inject(elapsedMs: number): void {
    const { fault } = this.spec;
    if (fault === undefined || this.faultInjected || elapsedMs < fault.atMs) return;
    this.faultInjected = true;
    const victims = this.crew.filter((member) => member.plan.role === fault.role);
    void victims[Math.min(fault.number, victims.length - 1)]?.kill();
  }

  private lookForFault(elapsedMs: number): RunFault | undefined {
    const fault = this.watchdog.look();
    return fault && { ...fault, atMs: elapsedMs, injected: this.faultInjected };
  }

  private reportProgress(elapsedMs: number): void {
    const { onProgress } = this.spec;
    if (onProgress === undefined) return;
    onProgress({ elapsedMs, counters: this.totals(), findings: boardSize(this.board) });
  }

  /** Counters of all actors together. */
  private totals(): Float64Array {
    const all = new Float64Array(this.counters);
    const sums = new Float64Array(COUNTER_COUNT);
    all.forEach((count, i) => {
      sums[i % COUNTER_COUNT]! += count;
    });
    return sums;
  }

  private async checkStopped(): Promise<void> {
    const { machine, crew } = this;
    const began = performance.now();
    const done = await whileStopped(machine, crew, STOP_LIMIT_MS, () => {
      this.world.checkStopped(machine, this.report);
    });
    this.countCheckpoint(done ? 'stopped' : 'missed', performance.now() - began);
  }

  private async checkAtRest(): Promise<void> {
    const { world } = this;
    const { machine, crew } = this;
    const began = performance.now();
    const done = await whileAtRest(machine, crew, world, REST_LIMIT_MS, () => {
      world.checkStopped(machine, this.report);
      world.checkAtRest(machine, this.report);
    });
    this.countCheckpoint(done ? 'atRest' : 'missed', performance.now() - began);
  }

  private countCheckpoint(kind: 'stopped' | 'atRest' | 'missed', tookMs: number): void {
    this.checkpoints[kind] += 1;
    if (kind !== 'missed') this.watchdog.forgive(tookMs);
  }

  private readonly report = (actor: number, violation: number, a: number, b: number): void => {
    this.checker.report(actor, violation, a, b);
  };

  private async finish(elapsedMs: number): Promise<RunResult> {
    const counters = this.totals();
    if (this.fault === undefined) await this.checkAtRest();
    const failure = (await this.fault?.members[0]?.failure()) ?? '';
    for (const member of this.crew) member.stop();
    const lost = new Set(this.fault?.members);
    const left = this.crew.filter((member) => !lost.has(member));
    await until(() => left.every((member) => member.exited || member.state() === ENDED), LEAVE_MS);
    return summarize({
      world: this.world,
      machine: this.machine,
      plans: this.crew.map((member) => member.plan),
      board: this.board,
      counters,
      seconds: elapsedMs / 1000,
      fault: this.fault,
      failure,
      interrupted: this.spec.signal?.aborted === true,
      checkpoints: this.checkpoints,
    });
  }
}

function gib(bytes: number): string {
  return `${(bytes / 2 ** 30).toFixed(1)} GiB`;
}

/** Memory is given lazily: a machine that does not fit would end this process later. */
function refuseTooLarge(words: number): void {
  const limit = process.constrainedMemory() || Infinity;
  const bytes = Math.min(totalmem(), limit);
  if (words * Int32Array.BYTES_PER_ELEMENT <= bytes * HOST_SHARE) return;
  throw new ConfigError(
    `the machine needs ${gib(words * 4)}; this host has ${gib(bytes)} ` +
      `and lends ${HOST_SHARE * 100} %`,
  );
}

/** The extension of a module beside this one: .ts in sources, .js in editions. */
const extension = import.meta.url.endsWith('.ts') ? '.ts' : '.js';

/** Loads a world from the edition that this code is of. @param module - without extension. */
export async function loadWorld(module: string, options: WorldOptions): Promise<World> {
  const url = new URL(`../../${module}${extension}`, import.meta.url);
  const loaded = (await import(/* @vite-ignore */ url.href)) as { createWorld: CreateWorld };
  return loaded.createWorld(options);
}

/**
 * Runs a world on free-running threads.
 * @throws ConfigError if no such machine can be made, RunError if its threads can't be started.
 */
export async function runFree(spec: RunSpec): Promise<RunResult> {
  return new FreeRun(spec, await loadWorld(spec.worldModule, spec.options)).run();
}
