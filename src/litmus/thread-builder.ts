/** What the readers of both languages share: collecting instructions, labels and locations. */
import type { Expression, Instruction } from './litmus-test.ts';
import { ADDRESS_BASE } from './litmus-test.ts';

/** The locations of a test, numbered in the order in which they are met. */
export class Locations {
  readonly names: string[] = [];
  readonly initial = new Map<string, number>();
  /** The address of a location; a new one if the name is new. */
  address(name: string): number {
    let index = this.names.indexOf(name);
    if (index < 0) index = this.names.push(name) - 1;
    return ADDRESS_BASE + index;
  }
}

export const number = (value: number): Expression => ({ is: 'number', value });
export const register = (name: string): Expression => ({ is: 'register', name });
export const binary = (operator: string, left: Expression, right: Expression): Expression => ({
  is: 'binary',
  operator,
  left,
  right,
});

/** A label whose place may not be known yet. */
export interface Label {
  at: number;
}

/** Collects the instructions of one thread; jumps to labels are filled in at the end. */
export class ThreadBuilder {
  private readonly instructions: Instruction[] = [];
  private readonly jumps: { readonly at: number; readonly label: Label }[] = [];
  private temporaries = 0;
  /** A register that the test cannot name. */
  temporary(): string {
    return `%${this.temporaries++}`;
  }
  add(instruction: Instruction): void {
    this.instructions.push(instruction);
  }
  /** Number of the next instruction. */
  get next(): number {
    return this.instructions.length;
  }
  branchUnless(unless: Expression, label: Label): void {
    this.jumps.push({ at: this.next, label });
    this.add({ does: 'branch', unless, to: -1 });
  }
  jump(label: Label): void {
    this.jumps.push({ at: this.next, label });
    this.add({ does: 'jump', to: -1 });
  }
  /** Puts the label here. */
  place(label: Label): void {
    label.at = this.next;
  }
  finish(): Instruction[] {
    for (const { at, label } of this.jumps) {
      const instruction = this.instructions[at] as Instruction;
      this.instructions[at] = { ...instruction, to: label.at } as Instruction;
    }
    return this.instructions;
  }
}
