/** Evaluates expressions over registers as C does with 32-bit integers. */
import type { Expression } from './litmus-test.ts';

/** @param registers - values by name; a register that was never set holds 0. */
export function evaluate(expression: Expression, registers: ReadonlyMap<string, number>): number {
  switch (expression.is) {
    case 'number':
      return expression.value;
    case 'register':
      return registers.get(expression.name) ?? 0;
    case 'unary':
      return applyUnary(expression.operator, evaluate(expression.of, registers));
    case 'binary':
      return applyBinary(
        expression.operator,
        evaluate(expression.left, registers),
        evaluate(expression.right, registers),
      );
  }
}

function applyUnary(operator: string, a: number): number {
  if (operator === '-') return -a | 0;
  return operator === '!' ? Number(a === 0) : ~a;
}

/** The binary operators that expressions may hold. */
export const BINARY: Readonly<Record<string, (a: number, b: number) => number>> = {
  '*': (a, b) => Math.imul(a, b),
  '+': (a, b) => (a + b) | 0,
  '-': (a, b) => (a - b) | 0,
  '<<': (a, b) => a << b,
  '>>': (a, b) => a >> b,
  '<': (a, b) => Number(a < b),
  '<=': (a, b) => Number(a <= b),
  '>': (a, b) => Number(a > b),
  '>=': (a, b) => Number(a >= b),
  '==': (a, b) => Number(a === b),
  '!=': (a, b) => Number(a !== b),
  '&': (a, b) => a & b,
  '^': (a, b) => a ^ b,
  '|': (a, b) => a | b,
  '&&': (a, b) => Number(a !== 0 && b !== 0),
  '||': (a, b) => Number(a !== 0 || b !== 0),
};

function applyBinary(operator: string, a: number, b: number): number {
  const apply = BINARY[operator];
  if (apply === undefined) throw new RangeError(`no operator ${operator}`);
  return apply(a, b);
}
