/**
 * Reads the threads of the kernel's C litmus tests: declarations, assignments, if/else and calls
 * of the primitives in kernel-calls.ts. Expressions that touch memory are taken apart into
 * instructions in C's order; && and || keep their short circuit.
 */
import type { Call, UpdateShape } from './kernel-calls.ts';
import { callOf } from './kernel-calls.ts';
import type { Cursor } from './lexer.ts';
import type { Expression, Instruction } from './litmus-test.ts';
import type { Label, Locations } from './thread-builder.ts';
import { ThreadBuilder, binary, number, register } from './thread-builder.ts';

const TYPE_WORDS = new Set(
  (
    'int long short char unsigned signed volatile const bool void intptr_t uintptr_t size_t ' +
    'u8 u16 u32 u64 s8 s16 s32 s64 uint8_t uint16_t uint32_t uint64_t int8_t int16_t int32_t ' +
    'int64_t atomic_t atomic_int spinlock_t static inline'
  ).split(' '),
);

const STRENGTHS: readonly (readonly string[])[] = [
  ['||'],
  ['&&'],
  ['|'],
  ['^'],
  ['&'],
  ['==', '!='],
  ['<', '<=', '>', '>='],
  ['<<', '>>'],
  ['+', '-'],
  ['*'],
];

/** Is this the start of a type, in a declaration, a parameter or a cast? */
export function isTypeWord(text: string): boolean {
  return TYPE_WORDS.has(text);
}

/** Reads one thread, from its first parameter to its closing brace. */
export function readKernelThread(cursor: Cursor, locations: Locations): Instruction[] {
  return new KernelThread(cursor, locations).read();
}

const truth = (value: Expression): Expression => binary('!=', value, number(0));

class KernelThread {
  private readonly builder = new ThreadBuilder();
  private readonly pointers = new Set<string>();
  private readonly end: Label = { at: -1 };
  private readonly cursor: Cursor;
  private readonly locations: Locations;

  constructor(cursor: Cursor, locations: Locations) {
    this.cursor = cursor;
    this.locations = locations;
  }

  read(): Instruction[] {
    const { cursor } = this;
    cursor.expect('(');
    while (!cursor.take(')')) {
      const isPointer = this.skipType();
      if (cursor.peek() !== ',' && cursor.peek() !== ')') {
        const name = cursor.name('a parameter');
        if (!isPointer) throw cursor.error(`parameter "${name}" is no pointer to a location`);
        this.pointers.add(name);
        this.locations.address(name);
      }
      if (cursor.peek() !== ')') cursor.expect(',');
    }
    this.block();
    this.builder.place(this.end);
    return this.builder.finish();
  }

  /** @returns whether the type is a pointer. */
  private skipType(): boolean {
    const { cursor } = this;
    let isPointer = false;
    while (isTypeWord(cursor.peek()) || cursor.peek() === '*') {
      if (cursor.next() === '*') isPointer = true;
    }
    return isPointer;
  }

  private block(): void {
    const { cursor } = this;
    cursor.expect('{');
    while (!cursor.take('}')) this.statement();
  }

  private statement(): void {
    const { cursor } = this;
    if (cursor.peek() === '{') return this.block();
    if (cursor.take(';')) return;
    if (cursor.take('if')) return this.conditional();
    if (cursor.take('return')) {
      if (cursor.peek() !== ';') this.expression();
      this.builder.jump(this.end);
      return cursor.expect(';');
    }
    if (['while', 'for', 'do', 'goto', 'switch', 'struct'].includes(cursor.peek())) {
      throw cursor.error(`"${cursor.peek()}" is not read in litmus tests`);
    }
    if (isTypeWord(cursor.peek())) return this.declaration();
    if (cursor.peek() === '*') return this.plainStore();
    if (cursor.kind() === 'name' && cursor.peek(1) === '=') return this.assignment();
    this.expression(true);
    cursor.expect(';');
  }

  private conditional(): void {
    const { cursor, builder } = this;
    cursor.expect('(');
    const condition = this.expression();
    cursor.expect(')');
    const otherwise: Label = { at: -1 };
    builder.branchUnless(condition, otherwise);
    this.statement();
    if (!cursor.take('else')) return builder.place(otherwise);
    const after: Label = { at: -1 };
    builder.jump(after);
    builder.place(otherwise);
    this.statement();
    builder.place(after);
  }

  private declaration(): void {
    const { cursor } = this;
    do {
      this.skipType();
      if (cursor.peek(1) === '=') this.assign(cursor.name('a register'));
      else this.pointers.delete(cursor.name('a register'));
    } while (cursor.take(','));
    cursor.expect(';');
  }

  private assignment(): void {
    this.assign(this.cursor.name('a register'));
    this.cursor.expect(';');
  }

  private assign(name: string): void {
    const { cursor } = this;
    cursor.expect('=');
    const value = this.expression();
    if (this.pointers.has(name)) throw cursor.error(`parameter "${name}" cannot be assigned`);
    this.builder.add({ does: 'set', register: name, value });
  }

  private plainStore(): void {
    const { cursor } = this;
    cursor.expect('*');
    const at = this.unary();
    cursor.expect('=');
    const value = this.expression();
    this.builder.add({ does: 'store', how: 'plain', at, value });
    cursor.expect(';');
  }

  /** @param asStatement - the value is not used. */
  private expression(asStatement = false): Expression {
    return this.chain(0, asStatement);
  }

  private chain(level: number, asStatement: boolean): Expression {
    const signs = STRENGTHS[level];
    if (signs === undefined) return this.unary(asStatement);
    let left = this.chain(level + 1, asStatement);
    while (signs.includes(this.cursor.peek())) {
      const sign = this.cursor.next();
      left =
        level < 2
          ? this.shortCircuit(sign, left, level)
          : binary(sign, left, this.chain(level + 1, false));
    }
    return left;
  }

  private shortCircuit(sign: string, left: Expression, level: number): Expression {
    const { builder } = this;
    const result = builder.temporary();
    const decided: Label = { at: -1 };
    builder.add({ does: 'set', register: result, value: truth(left) });
    const goesOn = register(result);
    builder.branchUnless(sign === '&&' ? goesOn : binary('==', goesOn, number(0)), decided);
    builder.add({ does: 'set', register: result, value: truth(this.chain(level + 1, false)) });
    builder.place(decided);
    return register(result);
  }

  private unary(asStatement = false): Expression {
    const { cursor, builder } = this;
    if (cursor.kind() === 'number') return number(cursor.number());
    const sign = cursor.peek();
    if (sign === '!' || sign === '~' || sign === '-') {
      cursor.next();
      return { is: 'unary', operator: sign, of: this.unary() };
    }
    if (cursor.take('&')) return number(this.locations.address(cursor.name('a location')));
    if (cursor.take('*')) {
      const value = builder.temporary();
      builder.add({ does: 'load', register: value, how: 'plain', at: this.unary() });
      return register(value);
    }
    if (cursor.take('(')) {
      if (!isTypeWord(cursor.peek())) {
        const inner = this.expression();
        cursor.expect(')');
        return inner;
      }
      this.skipType();
      cursor.expect(')');
      return this.unary();
    }
    if (cursor.kind() !== 'name') throw cursor.error(`cannot read "${cursor.peek()}" here`);
    if (cursor.peek(1) === '(') return this.call(asStatement);
    const name = cursor.next();
    return this.pointers.has(name) ? number(this.locations.address(name)) : register(name);
  }

  private call(asStatement: boolean): Expression {
    const { cursor } = this;
    const name = cursor.peek();
    const call = callOf(name);
    if (call === undefined) throw cursor.error(`no function "${name}" is known`);
    cursor.next();
    cursor.expect('(');
    const value = this.perform(call);
    cursor.expect(')');
    if (value !== null) return value;
    if (!asStatement) throw cursor.error(`"${name}" has no value`);
    return number(0);
  }

  /** @returns the value of the call, or null if it has none. */
  private perform(call: Call): Expression | null {
    const { builder } = this;
    const result = builder.temporary();
    switch (call.is) {
      case 'load':
        builder.add({ does: 'load', register: result, how: call.how, at: this.place(call) });
        return register(result);
      case 'store': {
        const at = this.place(call);
        this.cursor.expect(',');
        const value = this.expression();
        builder.add({ does: 'store', how: call.how, at, value });
        if (call.thenFence) builder.add({ does: 'fence', how: 'mb' });
        return null;
      }
      case 'fence':
        if (call.how !== 'none') builder.add({ does: 'fence', how: call.how });
        return null;
      case 'update':
        return call.how === 'cmpxchg' ? this.compareAndSwap() : this.update(call.how, call.shape);
      case 'lock':
      case 'unlock':
        builder.add({ does: call.is, at: this.expression() });
        return null;
      case 'trylock': {
        const at = this.expression();
        const [value, expected] = [number(1), number(0)];
        builder.add({ does: 'update', how: 'cmpxchg', register: result, at, value, expected });
        return binary('==', register(result), number(0));
      }
      case 'is-locked':
        builder.add({ does: 'load', register: result, how: 'once', at: this.expression() });
        return register(result);
      default:
        builder.add({ does: call.is });
        return null;
    }
  }

  private place(call: { readonly operand: 'lvalue' | 'pointer' }): Expression {
    const { cursor } = this;
    if (call.operand === 'pointer') return this.expression();
    if (cursor.take('*')) return this.unary();
    const name = cursor.name('a location');
    if (this.locations.names.includes(name)) return number(this.locations.address(name));
    throw cursor.error(`"${name}" is no location`);
  }

  private compareAndSwap(): Expression {
    const { cursor, builder } = this;
    const at = this.expression();
    cursor.expect(',');
    const expected = this.expression();
    cursor.expect(',');
    const value = this.expression();
    const before = builder.temporary();
    builder.add({ does: 'update', how: 'cmpxchg', register: before, at, value, expected });
    return register(before);
  }

  private update(how: 'xchg' | 'add' | 'and' | 'or', shape: UpdateShape): Expression {
    const { cursor, builder } = this;
    const first = this.expression();
    let amount: Expression = number(1);
    let at = first;
    if (shape.amount !== 'none') {
      cursor.expect(',');
      const second = this.expression();
      amount = shape.amount === 'first' ? first : second;
      at = shape.amount === 'first' ? second : first;
    }
    const value: Expression = shape.negated ? { is: 'unary', operator: '-', of: amount } : amount;
    const before = builder.temporary();
    builder.add({ does: 'update', how, register: before, at, value });
    if (shape.returns === 'before') return register(before);
    const after = binary('+', register(before), value);
    return shape.returns === 'after' ? after : binary('==', after, number(0));
  }
}
