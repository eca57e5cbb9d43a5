/** Faults that a user asks for, to see how a run bears them: `kill-vcpu@2s`. */
import type { Role } from './world.ts';

/** The end of one actor's thread in the middle of a run. */
export interface PlannedFault {
  readonly role: Role;
  /** Which actor of that role, in order. */
  readonly number: number;
  readonly atMs: number;
}

const FORM = /^kill-(vcpu|domain|device)(?::(\d+))?@(\d+(?:\.\d+)?)(ms|s)$/;

/** The form that a fault is written in, for messages. */
export const FAULT_FORM = 'kill-vcpu@2s, kill-domain:1@500ms or kill-device@1.5s';

/** Reads `kill-ROLE[:NUMBER]@TIME`. @returns undefined if it is not one. */
export function parseFault(text: string): PlannedFault | undefined {
  const match = FORM.exec(text);
  if (match === null) return undefined;
  const [, role, number, amount, unit] = match;
  return {
    role: role as Role,
    number: Number(number ?? 0),
    atMs: Number(amount) * (unit === 's' ? 1000 : 1),
  };
}
