/**
 * Reads the threads of herd's x86 tests: a table with a column a thread. X86 is written in
 * Intel's order (MOV EAX,[x]), X86_64 in AT&T's (movl (x),%eax).
 */
import { LitmusError } from './litmus-error.ts';
import { Cursor, tokenize } from './lexer.ts';
import type { Expression, Instruction } from './litmus-test.ts';
import type { Label, Locations } from './thread-builder.ts';
import { ThreadBuilder, binary, number, register } from './thread-builder.ts';

type Operand =
  | { readonly is: 'register'; readonly name: string }
  | { readonly is: 'memory'; readonly at: Expression }
  | { readonly is: 'number'; readonly value: number };

/** The two values whose comparison the flags hold. */
const LEFT = '%left';
const RIGHT = '%right';

const CONDITIONS: Readonly<Record<string, string>> = {
  JE: '==',
  JZ: '==',
  JNE: '!=',
  JNZ: '!=',
  JL: '<',
  JLE: '<=',
  JG: '>',
  JGE: '>=',
};
const ARITHMETIC: Readonly<Record<string, string>> = {
  ADD: '+',
  SUB: '-',
  AND: '&',
  OR: '|',
  XOR: '^',
  INC: '+',
  DEC: '-',
};
const OTHERS = 'MOV XCHG XADD CMPXCHG CMP TEST NOP JMP MFENCE LFENCE SFENCE';
const KNOWN = new Set([
  ...OTHERS.split(' '),
  ...Object.keys(ARITHMETIC),
  ...Object.keys(CONDITIONS),
]);
const LEGACY = /^[ER]?(AX|BX|CX|DX|SI|DI|BP|SP)$/;
const NUMBERED = /^R(8|9|1[0-5])D?$/;

/** The spelling of a register that all of its names share; '' if it is none. */
export function registerName(text: string, is64Bit: boolean): string {
  const upper = text.toUpperCase();
  const legacy = LEGACY.exec(upper)?.[1];
  if (legacy !== undefined) return is64Bit ? `r${legacy.toLowerCase()}` : `E${legacy}`;
  const numbered = NUMBERED.exec(upper)?.[1];
  if (numbered === undefined) return '';
  return is64Bit ? `r${numbered}` : `R${numbered}`;
}

/** Reads the table. @param line - number of its first line. @returns instructions by thread. */
export function readX86Table(
  text: string,
  line: number,
  is64Bit: boolean,
  locations: Locations,
): Instruction[][] {
  const rows: { readonly cells: readonly string[]; readonly line: number }[] = [];
  let here = line;
  for (const row of text.split(';')) {
    const start = here + (/^\s*/.exec(row)?.[0].split('\n').length ?? 1) - 1;
    if (row.trim() !== '') rows.push({ cells: row.split('|'), line: start });
    here += row.split('\n').length - 1;
  }
  const header = rows.shift();
  if (header === undefined) throw new LitmusError(line, 'there are no threads');
  header.cells.forEach((cell, i) => {
    if (cell.trim() !== `P${i}`) throw new LitmusError(header.line, `expected P${i}`);
  });
  const threads = header.cells.map(() => new X86Thread(is64Bit, locations));
  for (const { cells, line: at } of rows) {
    if (cells.length > threads.length) throw new LitmusError(at, 'more columns than threads');
    cells.forEach((cell, i) => threads[i]?.read(new Cursor(tokenize(cell.trim(), at), at)));
  }
  return threads.map((thread) => thread.finish(line));
}

class X86Thread {
  private readonly builder = new ThreadBuilder();
  private readonly labels = new Map<string, Label>();
  private readonly is64Bit: boolean;
  private readonly locations: Locations;

  constructor(is64Bit: boolean, locations: Locations) {
    this.is64Bit = is64Bit;
    this.locations = locations;
  }

  read(cursor: Cursor): void {
    while (cursor.kind() === 'name' && cursor.peek(1) === ':') {
      const label = this.label(cursor.next());
      if (label.at >= 0) throw cursor.error('a label stands twice');
      this.builder.place(label);
      cursor.next();
    }
    if (cursor.done) return;
    const written = cursor.name('an instruction');
    const locked = written.toUpperCase() === 'LOCK';
    if (locked) cursor.take(',');
    const name = locked ? cursor.name('an instruction') : written;
    const opcode = opcodeOf(name);
    if (opcode === '') throw cursor.error(`no instruction "${name}" is known`);
    if (opcode === 'JMP' || CONDITIONS[opcode] !== undefined) this.jump(opcode, cursor);
    else this.instruction(opcode, locked, cursor);
    if (!cursor.done) throw cursor.error(`"${cursor.peek()}" is left over`);
  }

  finish(line: number): Instruction[] {
    for (const [name, { at }] of this.labels) {
      if (at < 0) throw new LitmusError(line, `label "${name}" stands nowhere`);
    }
    return this.builder.finish();
  }

  private label(name: string): Label {
    const label = this.labels.get(name) ?? { at: -1 };
    this.labels.set(name, label);
    return label;
  }

  private jump(opcode: string, cursor: Cursor): void {
    const label = this.label(cursor.name('a label'));
    if (label.at >= 0) throw cursor.error('loops are not read in litmus tests');
    const sign = CONDITIONS[opcode];
    if (sign === undefined) return this.builder.jump(label);
    const holds = binary(sign, register(LEFT), register(RIGHT));
    this.builder.branchUnless({ is: 'unary', operator: '!', of: holds }, label);
  }

  private instruction(opcode: string, locked: boolean, cursor: Cursor): void {
    const operands: Operand[] = [];
    while (!cursor.done && operands.length < 2) {
      operands.push(this.operand(cursor));
      if (!cursor.take(',')) break;
    }
    if (this.is64Bit) operands.reverse();
    const [target, source] = operands;
    if (opcode.endsWith('FENCE')) {
      const how = opcode === 'MFENCE' ? 'mb' : opcode === 'SFENCE' ? 'wmb' : 'rmb';
      return this.builder.add({ does: 'fence', how });
    }
    if (opcode === 'NOP') return;
    if (target === undefined) throw cursor.error(`${opcode} needs an operand`);
    if (opcode === 'INC' || opcode === 'DEC') {
      return this.arithmetic(opcode, locked, target, number(1), cursor);
    }
    if (source === undefined) throw cursor.error(`${opcode} needs two operands`);
    if (target.is === 'memory' && source.is === 'memory') {
      throw cursor.error('both operands are in memory');
    }
    if (opcode === 'XCHG') return this.exchange(target, source, cursor);
    if (opcode === 'XADD') return this.exchangeAdd(locked, target, source, cursor);
    if (opcode === 'CMPXCHG') return this.compareExchange(locked, target, source, cursor);
    const value = this.valueOf(source);
    if (ARITHMETIC[opcode] !== undefined) {
      return this.arithmetic(opcode, locked, target, value, cursor);
    }
    if (locked) throw cursor.error(`${opcode} cannot be locked`);
    if (opcode === 'MOV') return this.store(target, value, cursor);
    const left = this.valueOf(target);
    if (opcode === 'CMP') this.setFlags(left, value);
    else this.setFlags(binary('&', left, value), number(0));
  }

  private operand(cursor: Cursor): Operand {
    if (cursor.take('$')) return { is: 'number', value: cursor.number() };
    if (cursor.kind() === 'number' || cursor.peek() === '-') {
      return { is: 'number', value: cursor.number() };
    }
    const open = cursor.peek();
    if (open === '[' || open === '(') {
      cursor.next();
      cursor.take('%');
      const name = cursor.name('an address');
      cursor.expect(open === '[' ? ']' : ')');
      const base = registerName(name, this.is64Bit);
      const at = base === '' ? number(this.locations.address(name)) : register(base);
      return { is: 'memory', at };
    }
    cursor.take('%');
    const text = cursor.name('an operand');
    const name = registerName(text, this.is64Bit);
    if (name === '') throw cursor.error(`no register "${text}" is known`);
    return { is: 'register', name };
  }

  private valueOf(operand: Operand): Expression {
    if (operand.is === 'number') return number(operand.value);
    if (operand.is === 'register') return register(operand.name);
    const value = this.builder.temporary();
    this.builder.add({ does: 'load', register: value, how: 'once', at: operand.at });
    return register(value);
  }

  private store(target: Operand, value: Expression, cursor: Cursor): void {
    if (target.is === 'number') throw cursor.error('a number cannot be stored into');
    if (target.is === 'register') {
      this.builder.add({ does: 'set', register: target.name, value });
    } else {
      this.builder.add({ does: 'store', how: 'once', at: target.at, value });
    }
  }

  private setFlags(left: Expression, right: Expression): void {
    this.builder.add({ does: 'set', register: LEFT, value: left });
    this.builder.add({ does: 'set', register: RIGHT, value: right });
  }

  private arithmetic(
    opcode: string,
    locked: boolean,
    target: Operand,
    amount: Expression,
    cursor: Cursor,
  ): void {
    const sign = ARITHMETIC[opcode] as string;
    const result = this.builder.temporary();
    if (locked) {
      if (target.is !== 'memory') throw cursor.error('LOCK needs an operand in memory');
      if (sign === '^') throw cursor.error('a locked XOR is not read');
      const how = sign === '&' ? 'and' : sign === '|' ? 'or' : 'add';
      const value: Expression = sign === '-' ? { is: 'unary', operator: '-', of: amount } : amount;
      const before = this.builder.temporary();
      this.builder.add({ does: 'update', how, register: before, at: target.at, value });
      const after = binary(sign, register(before), amount);
      this.builder.add({ does: 'set', register: result, value: after });
    } else {
      const after = binary(sign, this.valueOf(target), amount);
      this.builder.add({ does: 'set', register: result, value: after });
      this.store(target, register(result), cursor);
    }
    this.setFlags(register(result), number(0));
  }

  /** XCHG with memory is locked with or without the prefix. */
  private exchange(target: Operand, source: Operand, cursor: Cursor): void {
    const [memory, other] = target.is === 'memory' ? [target, source] : [source, target];
    if (other.is !== 'register') throw cursor.error('XCHG needs a register');
    if (memory.is === 'number') throw cursor.error('XCHG cannot take a number');
    const before = this.builder.temporary();
    const value = register(other.name);
    if (memory.is === 'memory') {
      const { at } = memory;
      this.builder.add({ does: 'update', how: 'xchg', register: before, at, value });
    } else {
      this.builder.add({ does: 'set', register: before, value: register(memory.name) });
      this.builder.add({ does: 'set', register: memory.name, value });
    }
    this.builder.add({ does: 'set', register: other.name, value: register(before) });
  }

  private exchangeAdd(locked: boolean, target: Operand, source: Operand, cursor: Cursor): void {
    if (!locked || target.is !== 'memory' || source.is !== 'register') {
      throw cursor.error('XADD is read as LOCK XADD of memory and a register');
    }
    const before = this.builder.temporary();
    const value = register(source.name);
    this.builder.add({ does: 'update', how: 'add', register: before, at: target.at, value });
    this.setFlags(binary('+', register(before), value), number(0));
    this.builder.add({ does: 'set', register: source.name, value: register(before) });
  }

  private compareExchange(locked: boolean, target: Operand, source: Operand, cursor: Cursor): void {
    if (!locked || target.is !== 'memory' || source.is !== 'register') {
      throw cursor.error('CMPXCHG is read as LOCK CMPXCHG of memory and a register');
    }
    const before = this.builder.temporary();
    const accumulator = this.is64Bit ? 'rax' : 'EAX';
    const [value, expected] = [register(source.name), register(accumulator)];
    const { at } = target;
    this.builder.add({ does: 'update', how: 'cmpxchg', register: before, at, value, expected });
    this.setFlags(register(before), expected);
    this.builder.add({ does: 'set', register: accumulator, value: register(before) });
  }
}

/** An instruction without its suffix for 32 or 64 bits; '' if it is not known. */
function opcodeOf(written: string): string {
  const upper = written.toUpperCase();
  if (KNOWN.has(upper)) return upper;
  const stem = /^(.*)[LQ]$/.exec(upper)?.[1] ?? '';
  return KNOWN.has(stem) ? stem : '';
}
