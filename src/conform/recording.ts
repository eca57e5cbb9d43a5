/**
 * The format of recordings: a JSON array. Elements whose case begins with "_" describe the others
 * (`_about`: what the fields mean); every other element is one case in one environment, with its
 * steps in order and the hypervisor's dumps of active grants after some of them.
 */
import * as v from 'valibot';

/** Values that a step was asked with or that were seen; their names depend on the operation. */
const fields = v.record(v.string(), v.unknown());
const whole = v.pipe(v.number(), v.integer());
const reliable = { reliable: v.optional(v.boolean(), true), caveat: v.optional(v.string()) };

const step = v.looseObject({
  i: v.pipe(whole, v.minValue(0)),
  actor: v.string(),
  op: v.pipe(v.string(), v.nonEmpty()),
  args: v.optional(fields, {}),
  result: v.optional(v.nullable(v.number()), null),
  errno: v.optional(v.nullable(v.string()), null),
  observed: v.optional(fields),
  ...reliable,
});

const active = v.looseObject({
  grant: v.string(),
  mappedBy: whole,
  pin: v.optional(v.string()),
  hstw: whole,
  hstr: whole,
  devw: whole,
  devr: whole,
  grantedTo: whole,
  flags: v.string(),
});

const dump = v.looseObject({
  afterStep: whole,
  actor: v.optional(v.string(), ''),
  label: v.optional(v.string(), ''),
  activeCount: v.pipe(whole, v.minValue(0)),
  active: v.array(active),
  ...reliable,
});

const recording = v.looseObject({
  case: v.pipe(v.string(), v.nonEmpty()),
  env: v.looseObject({ granter: v.picklist(['loopback', 'domU']) }),
  description: v.optional(v.string(), ''),
  stable: v.optional(v.nullable(v.boolean()), null),
  steps: v.array(step),
  grantDump: v.optional(v.array(dump), []),
  kernelLog: v.optional(v.array(v.string()), []),
  ...reliable,
});

const about = v.looseObject({ case: v.pipe(v.string(), v.startsWith('_')) });

export type Step = v.InferOutput<typeof step>;
export type ActiveGrant = v.InferOutput<typeof active>;
export type Dump = v.InferOutput<typeof dump>;
export type Recording = v.InferOutput<typeof recording>;
export type Fields = Readonly<Record<string, unknown>>;

/** A file that is no recording: the message is one line that names the place. */
export class RecordingError extends Error {}

/** `{"case": "_…"}`: says something about the file, and is not played. */
function describesFile(element: unknown): boolean {
  return v.safeParse(about, element).success;
}

/** The place of the first fault: `element 3 (case map_one), steps[2].op`. */
function placeOf(element: unknown, index: number, issue: v.BaseIssue<unknown>): string {
  const name = (element as { case?: unknown } | null)?.case;
  const named = typeof name === 'string' ? ` (case ${name})` : '';
  let path = '';
  for (const { key } of issue.path ?? []) {
    path += typeof key === 'number' ? `[${key}]` : `${path === '' ? '' : '.'}${String(key)}`;
  }
  return `element ${index}${named}${path === '' ? '' : `, ${path}`}`;
}

/** "Invalid type: Expected string but received 5" → "expected string, not 5". */
function faultOf(issue: v.BaseIssue<unknown>): string {
  const wanted = issue.expected === null ? issue.message : `expected ${issue.expected}`;
  return `${wanted}, not ${issue.received}`;
}

function readElement(element: unknown, index: number): Recording {
  const parsed = v.safeParse(recording, element, { abortEarly: true });
  if (!parsed.success) {
    const issue = parsed.issues[0];
    throw new RecordingError(`${placeOf(element, index, issue)}: ${faultOf(issue)}`);
  }
  for (const [at, { i }] of parsed.output.steps.entries()) {
    if (i === at) continue;
    const place = `element ${index} (case ${parsed.output.case}), steps[${at}].i`;
    throw new RecordingError(`${place}: expected ${at}, the place of the step, not ${i}`);
  }
  return parsed.output;
}

/** Line and column of an offset in a text, both from 1. */
function lineAndColumn(text: string, offset: number): string {
  const before = text.slice(0, offset).split('\n');
  return `line ${before.length}, column ${(before.at(-1) ?? '').length + 1}`;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const message = (error as Error).message.replaceAll(/\s+/g, ' ');
    const offset = /position (\d+)/.exec(message)?.[1];
    if (offset === undefined) throw new RecordingError(`is no JSON: ${message}`);
    const place = lineAndColumn(text, Number(offset));
    throw new RecordingError(`is no JSON at ${place}: ${message.replace(/ in JSON at .*/, '')}`);
  }
}

/**
 * Reads a file of recordings.
 * @param text - what is in the file. @returns the cases, in order.
 * @throws RecordingError if it is not in the format.
 */
export function readRecordings(text: string): Recording[] {
  const elements = parseJson(text);
  if (!Array.isArray(elements)) throw new RecordingError('expected an array of recordings');
  return elements.flatMap((element, index) =>
    describesFile(element) ? [] : [readElement(element, index)],
  );
}
