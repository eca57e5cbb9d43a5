/**
 * The stage of one attempt at a case: the test processes and what they have, and which of several
 * things a step means where the recording does not say.
 */
import { gnttabGrantForeignAccessRef } from '../linux/drivers/grant-table.ts';
import { allocPage } from '../linux/mm/page-alloc.ts';
import { pfnOf } from '../linux/mm/page.ts';
import { P2m } from '../linux/mm/p2m.ts';
import { frameWord } from '../hardware/paging.ts';
import { mem, poke } from '../shared/memory.ts';
import { grantKey } from './dump.ts';
import { Guest } from './guest.ts';
import { GRANTING_DOMAIN, PAGE_BYTES, TEST_DOMAIN, VCPUS } from './machine.ts';
import type { Origin } from './play.ts';
import type { Dump, Recording, Step } from './recording.ts';
import { Stage } from './stage.ts';
import { Symbols } from './symbols.ts';
import type { Allocation, FileKind, Handle, Mapping, OpenFile, Process } from './world.ts';
import { Unsupported, hasPages, openFiles } from './world.ts';

/** vCPUs of the parent, of its child, and of the kernel that grants as domain 1. */
const PARENT_VCPU = 0;
const CHILD_VCPU = 1;
export const GRANTING_VCPU = GRANTING_DOMAIN * VCPUS;

/** Reserved entries that the toolstack fills for a guest: console and xenstore. */
const SEEDED_REFS = [0, 1];

const CHILD_ENDS = /\b(B|child|granter)\b.*(exit|kill)|(exit|kill).*\b(B|child|granter)\b/i;

export class Scene {
  readonly recording: Recording;
  readonly symbols = new Symbols();
  readonly guest = new Guest(new Stage(2, 2 * VCPUS));
  /** Names of the case's grants. */
  readonly names = new Map<string, string>();
  /** The granting domain of the case. */
  readonly granterDomid: number;
  /** Refs by name. */
  readonly refs = new Map<string, number>();
  readonly handles: Handle[] = [];
  lastHandle: Handle | undefined;
  /** Ports of the case's event channel: the end that is told to drivers, and its other end. */
  port = 0;
  private readonly processes = new Map<string, Process>();
  private readonly take: (count: number) => number;
  private serials = new Map<string, number>();
  private execNext = false;

  constructor(recording: Recording, take: (count: number) => number) {
    this.recording = recording;
    this.take = take;
    this.granterDomid = recording.env.granter === 'domU' ? GRANTING_DOMAIN : TEST_DOMAIN;
    this.seedReservedEntries();
    this.guest.spawn(PARENT_VCPU);
    this.processes.set('A', newProcess('A', PARENT_VCPU));
  }

  /** One of several readings of a step, the likeliest first. */
  choose<T>(alternatives: readonly T[], what: string): T {
    const first = alternatives[0];
    if (first === undefined) throw new Unsupported(what);
    if (alternatives.length === 1) return first;
    return alternatives[this.take(alternatives.length)] as T;
  }

  /** The process of an actor; the child is forked when it first does something. */
  process(actor: string): Process {
    const known = this.processes.get(actor);
    if (known !== undefined) return known;
    if (actor !== 'B') throw new Unsupported(`an actor called "${actor}"`);
    const parent = this.process('A');
    this.guest.fork(parent.v, CHILD_VCPU);
    const child = forked(parent, actor, CHILD_VCPU);
    this.processes.set(actor, child);
    return child;
  }

  hasProcess(actor: string): boolean {
    return this.processes.has(actor);
  }

  /** The next number of a kind of thing, from 1. */
  serial(kind: string): number {
    const next = (this.serials.get(kind) ?? 0) + 1;
    this.serials.set(kind, next);
    return next;
  }

  /** Opens a file of its own. */
  open(process: Process, kind: FileKind, name = ''): OpenFile {
    const { fd, writeFd } = this.guest.open(process.v, kind, name);
    return this.adopt(process, kind, fd, name, writeFd);
  }

  /** A descriptor that the program has got. */
  adopt(process: Process, kind: FileKind, fd: number, name = '', writeFd = -1): OpenFile {
    const serial = this.serial(kind);
    const of = { kind, fd, serial, name, writeFd };
    const file: OpenFile = { ...of, open: true, used: false, filled: 0 };
    process.files.push(file);
    return file;
  }

  /** A file of this kind: the last one opened, another one, or where it may be so a new one. */
  file(process: Process, kind: FileKind, fresh: 'never' | 'last' | 'first'): OpenFile {
    const list = openFiles(process, kind);
    if (list.length === 0) return this.open(process, kind);
    const none = null as OpenFile | null;
    const order = fresh === 'never' ? list : fresh === 'last' ? [...list, none] : [none, ...list];
    return this.choose(order, kind) ?? this.open(process, kind);
  }

  /** The mapping that a step is about, which has these pages. */
  mapping(process: Process, first: number, pages: number): Mapping {
    const fit = process.mappings.filter((mapping) => first + pages <= mapping.pages);
    const used = fit.filter((mapping) => hasPages(mapping, first, pages));
    const order = used.length > 0 ? used.toReversed() : fit.toReversed();
    return this.choose(order, 'a mapping of this size');
  }

  /** The granted pages that a step is about. */
  allocation(process: Process, pages: number, serial = 0): Allocation {
    const fit = process.allocations.filter(
      (one) => one.count >= pages && (serial === 0 || one.serial === serial),
    );
    return this.choose(fit.toReversed(), 'granted pages');
  }

  /** What a program says before its next step. */
  note(step: Step): void {
    const words = String(step.args['text'] ?? '');
    if (this.processes.has('B') && CHILD_ENDS.test(words)) this.endChild(words);
    if (this.processes.has(step.actor)) this.process(step.actor).words = words;
  }

  /** What the recording says between two steps: a child that ends. */
  beforeDump(dump: Dump): void {
    if (dump.actor === 'R') {
      this.endChild('exit');
      this.end('A');
    } else if (dump.actor === 'B') {
      this.execNext = /\bexec\b/i.test(dump.label);
    } else if (this.processes.has('B') && /exit|kill/i.test(dump.label)) {
      this.endChild(dump.label);
    }
    this.guest.stage.wait(1);
  }

  /** After a step or dump. @param upcoming - what the recording has next. */
  afterEvent(upcoming: readonly Origin[]): void {
    if (!this.processes.has('B') || upcoming[0]?.actor === 'B') return;
    if (this.execNext) {
      this.execNext = false;
      this.guest.exec(CHILD_VCPU);
      this.process('B').mappings.length = 0;
      return;
    }
    const next = upcoming.findIndex(({ actor }) => actor === 'B');
    const before = next < 0 ? upcoming : upcoming.slice(0, next);
    const told = before.some(({ actor, words }) => actor === 'A' && /exit|kill/i.test(words));
    if (next >= 0 || told) return;
    if (this.choose([true, false], 'the end of the child')) this.endChild('exit');
  }

  /** A child ends. @param words - how, in the recording's words. */
  private endChild(words: string): void {
    if (!this.processes.has('B')) return;
    if (/kill/i.test(words)) this.guest.kill(CHILD_VCPU);
    this.end('B');
  }

  private end(actor: string): void {
    const process = this.processes.get(actor);
    if (process === undefined) return;
    this.guest.exit(process.v);
    this.processes.delete(actor);
    this.guest.stage.wait(20);
  }

  /** tools/libs/guest: xc_dom_gnttab_seed(): a guest's console and store, for domain 0. */
  private seedReservedEntries(): void {
    const { stage } = this.guest;
    for (const ref of SEEDED_REFS) {
      const page = stage.call(allocPage(GRANTING_VCPU));
      this.fillPage(GRANTING_DOMAIN, page, () => this.symbols.fresh());
      const body = gnttabGrantForeignAccessRef(GRANTING_VCPU, ref, TEST_DOMAIN, pfnOf(page), 0);
      stage.call(body);
    }
  }

  /** What a kernel or program has put into a page of its own. */
  fillPage(domid: number, page: number, value: () => number): void {
    const mfn = mem[P2m.value.at2(domid, pfnOf(page))] as number;
    for (let i = 0; i < PAGE_BYTES; i++) poke(frameWord(mfn, i), value());
  }

  /** Names the next grant of the case. */
  nameGrant(ref: number): string {
    const name = `g${this.serial('grant') - 1}`;
    this.names.set(grantKey(this.granterDomid, ref), name);
    this.refs.set(name, ref);
    return name;
  }

  /** A ref as recordings write it: "g0", "raw:7". */
  ref(name: string): number {
    const raw = /^raw:(\d+)$/.exec(name);
    if (raw !== null) return Number(raw[1]) | 0;
    const ref = this.refs.get(name);
    if (ref === undefined) throw new Unsupported(`a grant called "${name}"`);
    return ref;
  }
}

function newProcess(actor: string, v: number): Process {
  return {
    actor,
    v,
    files: [],
    maps: [],
    mappings: [],
    allocations: [],
    local: undefined,
    written: new Set(),
    aio: -1,
    words: '',
  };
}

/** A child has what its parent had. */
function forked(parent: Process, actor: string, v: number): Process {
  const files = parent.files.map((file) => ({ ...file }));
  const fileOf = (file: OpenFile): OpenFile => files[parent.files.indexOf(file)] ?? file;
  const maps = parent.maps.map((map) => ({ ...map, file: fileOf(map.file) }));
  return {
    actor,
    v,
    files,
    maps,
    mappings: parent.mappings.map((mapping) => ({ ...mapping, gone: new Set(mapping.gone) })),
    allocations: [...parent.allocations],
    local: parent.local,
    written: new Set(parent.written),
    aio: -1,
    words: '',
  };
}
