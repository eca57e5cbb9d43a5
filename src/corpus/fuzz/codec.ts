/**
 * A program as text, short enough for a command line and a seed:
 *
 *   pm00200_bu11g10_be0     prologue p, then the threads, joined by _
 *
 * A thread begins with b (of the process that maps, the backend) or f (of the kernel that grants,
 * the frontend). A step is the letter of its operation and a digit for each operand.
 */
import type { FuzzProgram, Operation, Side, Step, Thread } from './grammar.ts';
import { MOST_ACTORS, MOST_STEPS, MOST_THREADS, operationOf, operations } from './grammar.ts';

/** A text that is no program; the message is one line for the user. */
export class ProgramError extends Error {}

const PROLOGUE = 'p';
const LETTERS: Readonly<Record<Side, string>> = { process: 'b', granter: 'f' };

function encodeSteps(steps: readonly Step[]): string {
  return steps.map(({ op, values }) => operationOf(op).letter + values.join('')).join('');
}

/** Writes a program as text. */
export function encodeProgram({ prologue, threads }: FuzzProgram): string {
  const first = prologue.length === 0 ? [] : [PROLOGUE + encodeSteps(prologue)];
  return [...first, ...threads.map(({ side, steps }) => LETTERS[side] + encodeSteps(steps))].join(
    '_',
  );
}

function readStep(text: string, at: number, allowed: readonly Operation[]): Step {
  const operation = allowed.find(({ letter }) => letter === text[at]);
  if (operation === undefined) {
    throw new ProgramError(`no operation "${text[at]}" can stand at place ${at + 1} of "${text}"`);
  }
  const values = operation.operands.map(({ name, least, most }, i) => {
    const digit = text[at + 1 + i] ?? '';
    const value = /^\d$/.test(digit) ? Number(digit) : -1;
    if (value < least || value > most) {
      throw new ProgramError(
        `${operation.name} in "${text}" needs a ${name} from ${least} to ${most}`,
      );
    }
    return value;
  });
  return { op: operation.op, values };
}

function decodeSteps(text: string, side: Side): Step[] {
  const allowed = operations.filter(({ sides }) => sides.includes(side));
  const steps: Step[] = [];
  for (let at = 1; at < text.length;) {
    const step = readStep(text, at, allowed);
    steps.push(step);
    at += 1 + step.values.length;
  }
  if (steps.length > MOST_STEPS) {
    throw new ProgramError(`"${text}" has ${steps.length} steps; at most ${MOST_STEPS} fit`);
  }
  return steps;
}

function decodeThread(text: string): Thread {
  for (const side of ['process', 'granter'] as const) {
    if (text[0] === LETTERS[side]) return { side, steps: decodeSteps(text, side) };
  }
  throw new ProgramError(`a thread begins with b or f, not "${text}"`);
}

/** Reads a program. Throws ProgramError for anything that encodeProgram did not write. */
export function decodeProgram(text: string): FuzzProgram {
  const parts = text.split('_');
  const prologue = parts[0]?.startsWith(PROLOGUE)
    ? decodeSteps(parts.shift() ?? '', 'process')
    : [];
  if (parts.length === 0) throw new ProgramError(`there is no thread in "${text}"`);
  const threads = parts.map(decodeThread);
  for (const side of ['process', 'granter'] as const) {
    const found = threads.filter((thread) => thread.side === side).length;
    if (found > MOST_THREADS[side]) {
      throw new ProgramError(
        `at most ${MOST_THREADS[side]} threads can begin with ${LETTERS[side]}`,
      );
    }
  }
  if (threads.length > MOST_ACTORS) {
    throw new ProgramError(`${threads.length} threads; at most ${MOST_ACTORS} fit`);
  }
  return { prologue, threads };
}

function describeThread(who: string, steps: readonly Step[]): string {
  return `${who.padEnd(9)}${steps.map(describeStep).join('; ')}`;
}

/** A program for people: a line for each thread. */
export function describeProgram({ prologue, threads }: FuzzProgram): string[] {
  return [
    ...(prologue.length === 0 ? [] : [describeThread('before', prologue)]),
    ...threads.map(({ side, steps }) => describeThread(side, steps)),
  ];
}

function describeStep({ op, values }: Step): string {
  const { name, operands } = operationOf(op);
  return [name, ...operands.map((operand, i) => `${operand.name} ${values[i] ?? 0}`)].join(' ');
}
