/**
 * How the calls of a recording run: one after the other, each until it returns, with interrupts
 * taken as soon as they come. Between two calls time passes, and what was deferred until then is
 * done: work queues, timers, RCU callbacks. A call that waits for what nobody will bring about
 * never returns, and is said to block.
 */
import { physicalActor, upcallActor } from '../hardware/irq.ts';
import { kernelVcpuOf } from '../hardware/params.ts';
import { evtchnHandleEvents } from '../linux/drivers/events.ts';
import { runDeferred } from '../linux/drivers/workqueue.ts';
import { loopThreadTurn, Loop } from '../linux/fs/bio.ts';
import { Clock } from '../shared/clock.ts';
import { delayOfNextWork } from '../shared/delayed-work.ts';
import { Deferred } from '../shared/deferred.ts';
import type { Engine } from '../shared/engine.ts';
import { isEnabled, performOn } from '../shared/engine.ts';
import { mem, poke } from '../shared/memory.ts';
import type { Observer } from '../shared/observer.ts';
import { silent } from '../shared/observer.ts';
import type { Op } from '../shared/op.ts';
import { installEngine } from '../shared/operations.ts';
import { VcpuInfo } from '../xen/shared-info.ts';

/** Operations after which a call is said not to end: filling 1024 pages takes some 10 million. */
const OPERATIONS = 60_000_000;

/** A call waits for ever. */
export class Blocked extends Error {}

/** One simulated function under way, and the operation that it is about to perform. */
interface Fiber {
  readonly body: Op<unknown>;
  kind: number;
  word: number;
  a: number;
  b: number;
  c: number;
}

/** A WARN_ON or BUG_ON of the guest or of Xen. */
export interface Assertion {
  readonly id: number;
  readonly a: number;
  readonly b: number;
}

export class Stage implements Engine {
  readonly actor = 0;
  readonly observer: Observer;
  /** What the kernels asserted, in order. */
  readonly assertions: Assertion[] = [];
  private current: Fiber = fiberOf(nothing());
  private readonly background: Fiber[] = [];
  /** What the kernel threads of a domain have begun. */
  private readonly kernelThreads = new Map<number, Fiber>();
  private readonly domains: number;
  private operations = 0;
  private readonly vcpus: number;

  constructor(domains: number, vcpus: number) {
    this.domains = domains;
    this.vcpus = vcpus;
    this.observer = {
      ...silent,
      bug: (_actor, id, a, b) => this.assertions.push({ id, a, b }),
    };
    for (let v = 0; v < vcpus; v++) {
      this.background.push(fiberOf(physicalActor(v)), fiberOf(upcallActor(v)));
    }
  }

  begin(kind: number, word: number, a: number, b: number, c: number): boolean {
    const fiber = this.current;
    if (++this.operations > OPERATIONS) throw new Blocked('goes on for ever');
    fiber.kind = kind;
    fiber.word = word;
    fiber.a = a;
    fiber.b = b;
    fiber.c = c;
    return !isEnabled(kind, word, a, b);
  }

  perform(): number {
    const { kind, word, a, b, c } = this.current;
    return performOn(kind, word, a, b, c);
  }

  /**
   * Runs a call to its end. @param patience - milliseconds that it may wait.
   * @returns its result. @throws Blocked if it does not return.
   */
  call<T>(body: Op<T>, patience = 10_000): T {
    const before = installEngine(this);
    this.operations = 0;
    try {
      const fiber = fiberOf(body);
      let step = this.advance(fiber);
      const end = now() + patience;
      while (step.done !== true) {
        if (!this.runOthers() && !canGoOn(fiber) && !this.letTimePass(end)) {
          throw new Blocked(`waits for ever at word ${fiber.word}`);
        }
        if (canGoOn(fiber)) step = this.advance(fiber);
      }
      this.runOthers();
      return step.value as T;
    } finally {
      installEngine(before);
    }
  }

  /** Lets time pass, and does what is due. @param milliseconds - how long. */
  wait(milliseconds: number): void {
    const before = installEngine(this);
    try {
      this.operations = 0;
      const end = now() + milliseconds;
      do this.runOthers();
      while (this.letTimePass(end));
    } finally {
      installEngine(before);
    }
  }

  /** Has an event come that no upcall has taken? */
  eventsWait(): boolean {
    return this.vcpusWithEvents().length > 0;
  }

  /** The upcalls of all vCPUs: the guest takes its events. */
  takeEvents(): void {
    for (const v of this.vcpusWithEvents()) this.call(evtchnHandleEvents(v));
  }

  private vcpusWithEvents(): number[] {
    const all = Array.from({ length: this.vcpus }, (_, v) => v);
    return all.filter((v) => mem[VcpuInfo.pendingSel.at(v)] !== 0);
  }

  private advance(fiber: Fiber): IteratorResult<unknown, unknown> {
    this.current = fiber;
    return fiber.body.next();
  }

  /** Everybody but the caller, as far as they come. @returns whether anybody did anything. */
  private runOthers(): boolean {
    let any = false;
    for (let progress = true; progress; any ||= progress) {
      progress = false;
      for (const fiber of this.background) progress = this.runOne(fiber) || progress;
      for (let d = 0; d < this.domains; d++) progress = this.runKernelThread(d) || progress;
    }
    return any;
  }

  /** An actor without an end: it comes to its next wait. */
  private runOne(fiber: Fiber): boolean {
    if (fiber.kind >= 0 && !canGoOn(fiber)) return false;
    const first = fiber.kind < 0;
    this.advance(fiber);
    return !first;
  }

  /** What is to be done on the vCPU of a domain's kernel threads: a disk's bio, a deferred call. */
  private kernelWork(d: number): Fiber | undefined {
    const v = kernelVcpuOf(d);
    if (mem[Loop.pending.at(d)] !== 0) return fiberOf(loopThreadTurn(v));
    return mem[Deferred.pending.at(d)] !== 0 ? fiberOf(runDeferred(v)) : undefined;
  }

  private runKernelThread(d: number): boolean {
    const waiting = this.kernelThreads.get(d);
    if (waiting !== undefined && !canGoOn(waiting)) return false;
    const fiber = waiting ?? this.kernelWork(d);
    if (fiber === undefined) return false;
    const step = this.advance(fiber);
    if (step.done !== true) {
      this.kernelThreads.set(d, fiber);
      return true;
    }
    this.kernelThreads.delete(d);
    return step.value !== 0;
  }

  /** To the next moment at which something is due. @returns whether there is one until then. */
  private letTimePass(end: number): boolean {
    let least = -1;
    for (let d = 0; d < this.domains; d++) {
      if (this.kernelThreads.has(d)) continue;
      const delay = this.advance(fiberOf(delayOfNextWork(d))).value as number;
      if (delay >= 0 && (least < 0 || delay < least)) least = delay;
    }
    const here = now();
    const found = least >= 0 && here + least <= end;
    poke(Clock.jiffies.word, found ? here + Math.max(1, least) : Math.max(here, end));
    return found;
  }
}

/** The virtual clock, in milliseconds. */
export function now(): number {
  return mem[Clock.jiffies.word] as number;
}

function canGoOn(fiber: Fiber): boolean {
  return isEnabled(fiber.kind, fiber.word, fiber.a, fiber.b);
}

function fiberOf(body: Op<unknown>): Fiber {
  return { body, kind: -1, word: 0, a: 0, b: 0, c: 0 };
}

// oxlint-disable-next-line require-yield -- nobody runs before the first call
function* nothing(): Op<void> {}
