/**
 * Checks a file against the trace-event format as ui.perfetto.dev reads it: the fields of each
 * phase, slices that nest within a thread, arrows whose ends lie inside slices, hexadecimal ids,
 * counters that are numbers, and a name for every process and thread.
 */

type Event = Readonly<Record<string, unknown>>;

interface Slice {
  readonly from: number;
  readonly to: number;
}

/** What each phase must have; nothing else may be there. */
const FIELDS: Readonly<Record<string, { readonly must: string[]; readonly may: string[] }>> = {
  X: { must: ['pid', 'tid', 'ts', 'dur', 'name', 'cat'], may: ['args'] },
  i: { must: ['pid', 'tid', 'ts', 'name', 'cat', 's'], may: ['args'] },
  C: { must: ['pid', 'tid', 'ts', 'name', 'args'], may: [] },
  M: { must: ['pid', 'tid', 'name', 'args'], may: [] },
  s: { must: ['pid', 'tid', 'ts', 'name', 'cat', 'id'], may: [] },
  f: { must: ['pid', 'tid', 'ts', 'name', 'cat', 'id', 'bp'], may: [] },
};
const METADATA = ['process_name', 'process_sort_index', 'thread_name', 'thread_sort_index'];

/** @returns everything that is wrong; empty if the file is good. */
export function wrongWith(text: string): string[] {
  const file = JSON.parse(text) as { readonly traceEvents?: readonly Event[] };
  if (!Array.isArray(file.traceEvents)) return ['no list called traceEvents'];
  const events = file.traceEvents as readonly Event[];
  const fields = events.flatMap((event, i) => wrongFields(event).map((w) => `${i}: ${w}`));
  if (fields.length > 0) return fields;
  const slices = new Map<string, Slice[]>();
  for (const event of events) {
    if (event['ph'] !== 'X') continue;
    const of = slices.get(threadOf(event)) ?? [];
    slices.set(threadOf(event), of);
    const from = event['ts'] as number;
    of.push({ from, to: from + (event['dur'] as number) });
  }
  return [...wrongNesting(slices), ...wrongFlows(events, slices), ...wrongNames(events)];
}

function threadOf(event: Event): string {
  return `${event['pid'] as number}/${event['tid'] as number}`;
}

function wrongFields(event: Event): string[] {
  const wanted = FIELDS[event['ph'] as string];
  if (wanted === undefined) return [`unknown phase ${String(event['ph'])}`];
  const { must, may } = wanted;
  const wrong = must.filter((field) => event[field] === undefined).map((f) => `no ${f}`);
  for (const field of Object.keys(event)) {
    if (field !== 'ph' && !must.includes(field) && !may.includes(field)) wrong.push(`has ${field}`);
  }
  for (const field of ['pid', 'tid', 'ts', 'dur']) {
    const value = event[field];
    if (value !== undefined && (!Number.isInteger(value) || (value as number) < 0)) {
      wrong.push(`${field} is ${String(value)}`);
    }
  }
  if (typeof event['name'] !== 'string' || event['name'] === '') wrong.push('no name');
  if (event['ph'] === 'i' && !['t', 'p', 'g'].includes(event['s'] as string)) wrong.push('scope');
  if (event['ph'] === 'f' && event['bp'] !== 'e') wrong.push('binding point');
  if (event['ph'] === 'M' && !METADATA.includes(event['name'] as string)) wrong.push('metadata');
  if (event['id'] !== undefined && !/^0x[0-9a-f]+$/.test(event['id'] as string)) wrong.push('id');
  if (event['ph'] !== 'C') return wrong;
  const counts = Object.values(event['args'] as object);
  return counts.length > 0 && counts.every((n) => typeof n === 'number') ? wrong : ['counts'];
}

/** Slices of a thread lie beside or within each other. */
function wrongNesting(slices: ReadonlyMap<string, readonly Slice[]>): string[] {
  const wrong: string[] = [];
  for (const [thread, of] of slices) {
    const open: Slice[] = [];
    for (const slice of of.toSorted((a, b) => a.from - b.from || b.to - a.to)) {
      while (open.length > 0 && (open.at(-1) as Slice).to <= slice.from) open.pop();
      const around = open.at(-1);
      if (around !== undefined && slice.to > around.to) {
        wrong.push(`${thread}: ${slice.from}–${slice.to} crosses ${around.from}–${around.to}`);
      }
      open.push(slice);
    }
  }
  return wrong;
}

function wrongFlows(events: readonly Event[], slices: ReadonlyMap<string, readonly Slice[]>) {
  const wrong: string[] = [];
  const starts = new Map<string, Event>();
  const inside = (event: Event): boolean => {
    const ts = event['ts'] as number;
    const of = slices.get(threadOf(event)) ?? [];
    return of.some(({ from, to }) => from <= ts && ts <= to);
  };
  for (const event of events) {
    if (event['ph'] !== 's' && event['ph'] !== 'f') continue;
    const key = `${event['id'] as string} ${event['cat'] as string} ${event['name'] as string}`;
    if (!inside(event)) wrong.push(`flow ${key} ends in no slice`);
    const start = starts.get(key);
    if (event['ph'] === 's') {
      if (start !== undefined) wrong.push(`flow ${key} begins twice`);
      starts.set(key, event);
    } else if (start === undefined || (start['ts'] as number) > (event['ts'] as number)) {
      wrong.push(`flow ${key} ends before it begins`);
    } else starts.set(key, { ...start, ended: true });
  }
  for (const [key, start] of starts)
    if (start['ended'] !== true) wrong.push(`flow ${key} has no end`);
  return wrong;
}

function wrongNames(events: readonly Event[]): string[] {
  const named = (name: string, key: (event: Event) => string): ReadonlySet<string> =>
    new Set(events.filter((e) => e['ph'] === 'M' && e['name'] === name).map(key));
  const processes = named('process_name', (event) => String(event['pid']));
  const threads = named('thread_name', threadOf);
  return events.flatMap((event) => {
    const wrong = processes.has(String(event['pid'])) ? [] : [`process ${String(event['pid'])}`];
    if (event['ph'] !== 'M' && event['ph'] !== 'C' && !threads.has(threadOf(event))) {
      wrong.push(`thread ${threadOf(event)}`);
    }
    return wrong;
  });
}
