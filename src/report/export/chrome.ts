/**
 * A race in the trace-event format of Chrome, which ui.perfetto.dev opens: a process for each
 * domain and one for Xen, a thread for each vCPU, functions as nested slices with their operations
 * inside, arrows for interrupts, wake-ups and the deciding pair, counters for references and pins.
 *
 * Time is order: step i begins at 10 · i µs. An interrupt's handler is a slice within the function
 * that it interrupts, since that one cannot run meanwhile.
 */
import { KIND_NAMES } from '../../shared/kinds.ts';
import { marksOf } from '../lines.ts';
import { stepText } from '../cells.ts';
import type { RaceObject, RaceRecord, RaceStep } from '../race.ts';
import { placesOfStack } from '../race.ts';

/** One trace event; see docs/report-format.md. */
export interface TraceEvent {
  readonly ph: 'X' | 'i' | 'C' | 'M' | 's' | 'f';
  readonly pid: number;
  readonly tid: number;
  /** In microseconds; absent in metadata. */
  readonly ts?: number;
  readonly dur?: number;
  readonly name: string;
  readonly cat?: string;
  readonly id?: string;
  /** Of an instant: thread or global. */
  readonly s?: 't' | 'g';
  /** The arrow ends at the slice around it. */
  readonly bp?: 'e';
  readonly args?: Readonly<Record<string, unknown>>;
}

/** Microseconds of a step. */
const STEP = 10;
/** The process of what belongs to no domain: DOMID_XEN. */
const XEN = 0x7ff2;
/** The process of devices, and of programs without domains: DOMID_IO. */
const OTHERS = 0x7ff1;
/** Threads of store buffers come behind those of vCPUs. */
const BUFFERS = 1000;
/** Edges that are drawn; the others would be a tangle. */
const DRAWN: readonly string[] = ['ipi', 'wake', 'sync', 'flush'];

interface Track {
  readonly pid: number;
  readonly tid: number;
  readonly name: string;
}

/** The file's text. */
export function chromeTrace(race: RaceRecord): string {
  const { scenario, design, memory, seed, replay, tool } = race;
  const otherData = { scenario, design, memory, seed, replay, gntrace: tool.version };
  const events = traceEvents(race).map((event) => JSON.stringify(event));
  const head = `{"displayTimeUnit":"ns","otherData":${JSON.stringify(otherData)}`;
  return `${head},"traceEvents":[\n${events.join(',\n')}\n]}\n`;
}

/** All events. */
export function traceEvents(race: RaceRecord): TraceEvent[] {
  const tracks = tracksOf(race);
  const trackOf = (step: RaceStep): Track => {
    const track = tracks[step.actor] as Track;
    return step.store === undefined ? track : bufferOf(track);
  };
  return [
    ...metadata(race, trackOf),
    ...functions(race, tracks),
    ...operations(race, trackOf),
    ...notes(race, trackOf),
    ...switches(race, tracks),
    ...arrows(race, trackOf),
    ...counters(race),
    ...finding(race, trackOf),
  ];
}

/** By actor: where it is drawn. Interrupts share the thread of whom they interrupt. */
function tracksOf({ actors }: RaceRecord): Track[] {
  const taken = new Set<string>();
  const tracks: Track[] = [];
  actors.forEach(({ name, domain, vcpu, interrupts }, i) => {
    const below = interrupts === null ? undefined : tracks[rootOf(actors, i)];
    if (below !== undefined) {
      tracks.push(below);
      return;
    }
    const pid = domain ?? OTHERS;
    const own = vcpu === null ? i + 1 : vcpu + 1;
    const tid = taken.has(`${pid} ${own}`) ? BUFFERS / 2 + i : own;
    taken.add(`${pid} ${tid}`);
    tracks.push({ pid, tid, name });
  });
  return tracks;
}

/** The actor at the bottom of those who share a processor. */
function rootOf(actors: RaceRecord['actors'], actor: number): number {
  const below = actors[actor]?.interrupts ?? null;
  return below === null ? actor : rootOf(actors, below);
}

function bufferOf({ pid, tid, name }: Track): Track {
  return { pid, tid: tid + BUFFERS, name: `${name}: store buffer` };
}

function metadata(race: RaceRecord, trackOf: (step: RaceStep) => Track): TraceEvent[] {
  const used = new Map<string, Track>();
  for (const step of race.steps) {
    const track = trackOf(step);
    used.set(`${track.pid} ${track.tid}`, track);
  }
  const counting = race.objects.filter(({ counts }) => counts !== undefined).map(processOf);
  const pids = new Set([...[...used.values()].map(({ pid }) => pid), ...counting]);
  return [
    ...[...pids].flatMap((pid) => [
      meta(pid, 0, 'process_name', { name: processName(pid) }),
      meta(pid, 0, 'process_sort_index', { sort_index: pid }),
    ]),
    ...[...used.values()].flatMap(({ pid, tid, name }) => [
      meta(pid, tid, 'thread_name', { name }),
      meta(pid, tid, 'thread_sort_index', { sort_index: tid }),
    ]),
  ];
}

function meta(pid: number, tid: number, name: string, args: object): TraceEvent {
  return { ph: 'M', pid, tid, name, args: { ...args } };
}

function processName(pid: number): string {
  if (pid === XEN) return 'Xen';
  return pid === OTHERS ? 'devices and programs' : `d${pid}`;
}

/** Functions as slices: each from its first step to its last, within its caller. */
function functions(race: RaceRecord, tracks: readonly Track[]): TraceEvent[] {
  const events: TraceEvent[] = [];
  const open: Open[][] = race.actors.map(() => []);
  const close = (actor: number, depth: number): void => {
    const frames = open[actor] as Open[];
    // Callers first: of slices that begin and end alike, the later one is within the earlier.
    for (const { fn, from, to } of frames.splice(depth)) {
      const { pid, tid } = tracks[actor] as Track;
      const ts = from * STEP;
      events.push({ ph: 'X', pid, tid, ts, dur: (to + 1) * STEP - ts, name: fn, cat: 'function' });
    }
  };
  race.steps.forEach((step, i) => {
    if (step.store !== undefined) return;
    const frames = open[step.actor] as Open[];
    const stack = placesOfStack(race, step.stack).toReversed();
    const same = isDelivery(race, step) ? 0 : sameCalls(frames, stack);
    close(step.actor, same);
    for (const { fn, line } of stack.slice(same)) frames.push({ fn, line, from: i, to: i });
    frames.forEach((frame, depth) => {
      frame.to = i;
      frame.line = stack[depth]?.line ?? 0;
    });
  });
  race.actors.forEach((_, actor) => close(actor, 0));
  return events;
}

interface Open {
  readonly fn: string;
  line: number;
  readonly from: number;
  to: number;
}

type Places = ReturnType<typeof placesOfStack>;

/** How many frames, from the outermost on, are still the same calls. */
function sameCalls(frames: readonly Open[], stack: Places): number {
  let same = 0;
  while (same < frames.length && frames[same]?.fn === stack[same]?.fn) {
    same++;
    // A caller that stands at another line has called anew.
    if (frames[same - 1]?.line !== stack[same - 1]?.line) break;
  }
  return same;
}

/** An interrupt begins: it has waited for this. */
function isDelivery({ actors, kinds }: RaceRecord, { actor, kind }: RaceStep): boolean {
  return actors[actor]?.interrupts !== null && (kinds[kind] ?? '').startsWith('await');
}

function operations(race: RaceRecord, trackOf: (step: RaceStep) => Track): TraceEvent[] {
  const marks = marksOf(true);
  return race.steps.map((step, i): TraceEvent => {
    const { pid, tid } = trackOf(step);
    const object = race.objects[step.object];
    const place = placesOfStack(race, step.stack)[0];
    const { before, after, result, matters } = step;
    return {
      ph: 'X',
      pid,
      tid,
      ts: i * STEP + 1,
      dur: STEP - 2,
      name: stepText(race, step, marks),
      cat: KIND_NAMES[step.kind] ?? 'operation',
      args: {
        step: i + 1,
        actor: race.actors[step.actor]?.name ?? '',
        ...(object !== undefined && { word: object.name, before, after }),
        result,
        matters,
        ...(place !== undefined && { at: `${place.fn} ${place.file}:${place.line}` }),
      },
    };
  });
}

function notes(race: RaceRecord, trackOf: (step: RaceStep) => Track): TraceEvent[] {
  return race.steps.flatMap((step, i) =>
    (step.notes ?? []).map((name): TraceEvent => {
      const { pid, tid } = trackOf(step);
      return { ph: 'i', pid, tid, ts: i * STEP + 8, name, cat: 'tracepoint', s: 't' };
    }),
  );
}

function switches(race: RaceRecord, tracks: readonly Track[]): TraceEvent[] {
  return race.switches.map(({ before, from, reason }) => {
    const { pid, tid } = tracks[from] as Track;
    return { ph: 'i', pid, tid, ts: before * STEP, name: reason, cat: 'switch', s: 't' };
  });
}

type FlowEnd = Pick<TraceEvent, 'pid' | 'tid' | 'ts'>;

/** Arrows, from within one operation's slice to within another's. */
function arrows(race: RaceRecord, trackOf: (step: RaceStep) => Track): TraceEvent[] {
  const drawn = race.edges.filter(([, , kind]) => DRAWN.includes(kind));
  const pair = race.conflict === null ? [] : [[...race.conflict, 'race'] as const];
  return [...drawn, ...pair].flatMap(([from, to, name], i): TraceEvent[] => {
    const ends = [from, to].map((at) => {
      const { pid, tid } = trackOf(race.steps[at] as RaceStep);
      return { pid, tid, ts: at * STEP + STEP / 2 };
    }) as [FlowEnd, FlowEnd];
    const flow = { name, cat: 'order', id: `0x${(i + 1).toString(16)}` };
    return [
      { ph: 's', ...ends[0], ...flow },
      { ph: 'f', ...ends[1], ...flow, bp: 'e' },
    ];
  });
}

/** Counters: where a count stands before the first step, and after each that changes it. */
function counters({ objects, steps }: RaceRecord): TraceEvent[] {
  const counted = new Map<number, RaceObject>();
  objects.forEach((object, i) => {
    if (object.counts !== undefined) counted.set(i, object);
  });
  const changed = new Set(steps.map(({ object, effect }) => (effect === 'writes' ? object : -1)));
  return [
    ...[...counted].flatMap(([i, object]) =>
      changed.has(i) ? counter(object, object.initial, 0) : [],
    ),
    ...steps.flatMap(({ object, effect, before, after }, i) => {
      const word = counted.get(object);
      if (word === undefined || effect !== 'writes' || before === after) return [];
      return counter(word, after, i * STEP + STEP / 2);
    }),
  ];
}

/** One value of a counter; none if it counts nothing. */
function counter(object: RaceObject, value: number, ts: number): TraceEvent[] {
  const args = object.counts?.[String(value)];
  if (args === undefined) return [];
  return [{ ph: 'C', pid: processOf(object), tid: 0, ts, name: object.name, args }];
}

/** The domain that a word belongs to, else Xen. */
function processOf({ name }: RaceObject): number {
  const domain = /^d(\d+)|\[d(\d+)/.exec(name);
  return domain === null ? XEN : Number(domain[1] ?? domain[2]);
}

function finding(race: RaceRecord, trackOf: (step: RaceStep) => Track): TraceEvent[] {
  const { message, steps, fingerprint } = race;
  const last = steps.at(-1);
  if (message === null || last === undefined) return [];
  const { pid, tid } = trackOf(last);
  const ts = steps.length * STEP - 1;
  return [{ ph: 'i', pid, tid, ts, name: message, cat: 'finding', s: 'g', args: { fingerprint } }];
}
