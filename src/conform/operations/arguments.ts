/** Arguments of a step. */
import type { Step } from '../recording.ts';
import type { Operation } from '../operation.ts';
import type { Seen } from '../compare.ts';
import type { Scene } from '../scene.ts';
import type { Process } from '../world.ts';
import { Unsupported } from '../world.ts';

/** How an operation is performed. */
export type Handler = (scene: Scene, call: Call) => Seen;

/** A step as its handler gets it. */
export interface Call {
  readonly step: Step;
  readonly operation: Operation;
  readonly process: Process;
}

/** A number. @param otherwise - where the recording does not tell it. */
export function numberOf(step: Step, name: string, otherwise?: number): number {
  const value = step.args[name] ?? otherwise;
  if (typeof value === 'number') return value;
  throw new Unsupported(`${step.op} with ${name} = ${JSON.stringify(value)}`);
}

/** A text. @param otherwise - where the recording does not tell it. */
export function textOf(step: Step, name: string, otherwise?: string): string {
  const value = step.args[name] ?? otherwise;
  if (typeof value === 'string') return value;
  throw new Unsupported(`${step.op} with ${name} = ${JSON.stringify(value)}`);
}

const ABBREVIATED = /^\.\.\.\((\d+) total\)$/;
/** Elements that an abbreviated list shows. */
const SHOWN = 16;

/**
 * A list of `count` elements, of which the recording may show the first ones only: the others
 * follow from them as all of them do from the first.
 */
export function listOf(step: Step, name: string, count: number): (string | number)[] {
  const value = step.args[name] ?? [];
  if (!Array.isArray(value)) throw new Unsupported(`${step.op} with ${name} that is no list`);
  const list = (value as (string | number)[]).filter((one) => !ABBREVIATED.test(String(one)));
  const first = list[0];
  if (first === undefined && count > 0) throw new Unsupported(`${step.op} without ${name}`);
  while (list.length < count) list.push(following(list));
  return list.slice(0, count);
}

/** "g3" after "g1", "g2"; the same again after equal ones. */
function following(list: readonly (string | number)[]): string | number {
  const last = list.at(-1) as string | number;
  const before = list.at(-2) ?? last;
  const [one, other] = [/(\d+)$/.exec(String(before))?.[1], /(\d+)$/.exec(String(last))?.[1]];
  if (one === undefined || other === undefined || one === other) return last;
  return String(last).replace(/\d+$/, String(2 * Number(other) - Number(one)));
}

/** A list as recordings show it. */
export function abbreviated(list: readonly string[]): string[] {
  if (list.length <= SHOWN) return [...list];
  return [...list.slice(0, SHOWN), `...(${list.length} total)`];
}
