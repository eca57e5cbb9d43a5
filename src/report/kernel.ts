/**
 * A race as the kernel's own sanitizer prints one (kernel/kcsan/report.c: print_report()): a title
 * that names the two functions, both accesses with their stacks, the value that changed. For
 * people who mail such reports, and for tools that read them.
 */
import { CMPXCHG, FETCH_OR, READ, WRITE } from '../shared/kinds.ts';
import type { Line } from './lines.ts';
import { printable } from './lines.ts';
import type { RaceObject, RaceRecord, RaceStep } from './race.ts';
import { placesOfStack, valueText } from './race.ts';

const RULE = '='.repeat(66);

/** Lines of the report; long ones are not cut, as there. */
export function kernelReport(race: RaceRecord): Line[] {
  const text = [RULE, `BUG: gntrace: ${titleOf(race)}`, '', ...bodyOf(race), RULE];
  return text.map((line) => ({ text: printable(line, false), style: 'plain' }));
}

/** `data-race in a / b` there; here the invariant in its place. */
export function titleOf(race: RaceRecord): string {
  const functions = stacksOf(race).map((stack) => placesOfStack(race, stack)[0]?.fn ?? '');
  const named = [...new Set(functions.filter((fn) => fn !== ''))];
  const what = race.invariant ?? 'nothing broke';
  return named.length === 0 ? what : `${what} in ${named.join(' / ')}`;
}

/** Stacks of the accesses that decide, or of those who wait. */
function stacksOf({ conflict, waits, steps }: RaceRecord): number[] {
  if (waits.length > 0) return waits.map(({ stack }) => stack);
  const deciding = conflict ?? (steps.length === 0 ? [] : [steps.length - 1]);
  return deciding.map((i) => steps[i]?.stack ?? -1);
}

function bodyOf(race: RaceRecord): string[] {
  const { conflict, waits, steps } = race;
  const last = steps.length - 1;
  const parts =
    waits.length > 0
      ? waits.map((wait) => waitPart(race, wait))
      : (conflict ?? (last < 0 ? [] : [last])).map((i) => accessPart(race, i));
  return [...parts.flatMap((part) => [...part, '']), ...endOf(race)];
}

function endOf(race: RaceRecord): string[] {
  const { conflict, steps, message, rule, tool } = race;
  const writer = conflict?.map((i) => steps[i] as RaceStep).findLast(isWrite);
  const object = race.objects[writer?.object ?? -1];
  return [
    ...(writer === undefined || object === undefined
      ? []
      : [`value changed: ${changeText(object, writer)}`, '']),
    ...(message === null ? [] : [message]),
    ...(rule === null ? [] : [rule]),
    '',
    `Reported by gntrace ${tool.version} (${race.scenario} ${race.design} ${race.memory}):`,
    race.replay,
  ];
}

function changeText(object: RaceObject, { before, after }: RaceStep): string {
  return `${valueText(object, before)} -> ${valueText(object, after)}`;
}

function isWrite({ effect, before, after }: RaceStep): boolean {
  return effect === 'writes' && before !== after;
}

const BYTES = 4;

function accessPart(race: RaceRecord, i: number): string[] {
  const step = race.steps[i] as RaceStep;
  const object = race.objects[step.object];
  const by = `by ${whoOf(race, step.actor)} at step ${i + 1}:`;
  const access =
    object === undefined
      ? `${race.kinds[step.kind]} ${by}`
      : `${accessKind(step)} to ${object.name} of ${BYTES} bytes ${by}`;
  return [access, ...stackLines(race, step.stack)];
}

/** `write`, `read-write (marked)`: marked is every access that is meant to race. */
function accessKind({ kind, effect }: RaceStep): string {
  const both = kind >= CMPXCHG && kind <= FETCH_OR && effect === 'writes';
  const does = both ? 'read-write' : effect === 'writes' || effect === 'buffers' ? 'write' : 'read';
  return kind === READ || kind === WRITE ? does : `${does} (marked)`;
}

function waitPart(race: RaceRecord, wait: RaceRecord['waits'][number]): string[] {
  const { actor, object, stack, holder } = wait;
  const held =
    holder === null ? '' : `, held by ${whoOf(race, holder.actor)} since step ${holder.step + 1}`;
  return [
    `${whoOf(race, actor)} waits for ${race.objects[object]?.name}${held}:`,
    ...stackLines(race, stack),
  ];
}

/** `task "gup" on vcpu d0v0`. */
function whoOf({ actors }: RaceRecord, actor: number): string {
  const { role, name, domain, vcpu } = actors[actor] as RaceRecord['actors'][number];
  return domain === null ? `task "${name}"` : `task "${role}" on vcpu d${domain}v${vcpu}`;
}

function stackLines(race: RaceRecord, stack: number): string[] {
  return placesOfStack(race, stack).map(({ fn, file, line }) => ` ${fn} ${file}:${line}`);
}
