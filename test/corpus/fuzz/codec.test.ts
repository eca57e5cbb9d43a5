/**
 * Goal: a program and its text say the same, and no other text passes for a program.
 * Method: round trips of programs that fast-check draws from the grammar and that the generator
 * makes; texts with one fault each.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  ProgramError,
  decodeProgram,
  describeProgram,
  encodeProgram,
} from '../../../src/corpus/fuzz/codec.ts';
import { mutateProgram, newProgram, usualSize } from '../../../src/campaign/fuzz/generate.ts';
import type { FuzzProgram, Side, Step } from '../../../src/corpus/fuzz/grammar.ts';
import { operations, operationsOf } from '../../../src/corpus/fuzz/grammar.ts';
import { FUZZ_OPCODES } from '../../../src/corpus/fuzz/opcodes.ts';
import { Random } from '../../../src/explore/random.ts';

const stepOf = (side: Side): fc.Arbitrary<Step> =>
  fc
    .constantFrom(...operationsOf(side))
    .chain(({ op, operands }) =>
      fc
        .tuple(...operands.map(({ least, most }) => fc.integer({ min: least, max: most })))
        .map((values) => ({ op, values })),
    );

const threadsOf = (side: Side, most: number) =>
  fc.array(
    fc.array(stepOf(side), { maxLength: 6 }).map((steps) => ({ side, steps })),
    { maxLength: most },
  );

const programs: fc.Arbitrary<FuzzProgram> = fc
  .tuple(
    fc.array(stepOf('process'), { maxLength: 3 }),
    threadsOf('process', 2),
    threadsOf('granter', 2),
  )
  .filter(([, a, b]) => a.length + b.length > 0)
  .map(([prologue, a, b]) => ({ prologue, threads: [...a, ...b] }));

describe('programs as text', () => {
  test('what is written is read back', () => {
    fc.assert(
      fc.property(programs, (program) => {
        expect(decodeProgram(encodeProgram(program))).toEqual(program);
      }),
      { seed: 1 },
    );
  });

  test('generated and changed programs can be written and read', () => {
    const random = new Random();
    random.reseed(7, 0);
    let program = newProgram(random, usualSize);
    for (let i = 0; i < 2000; i++) {
      program = mutateProgram(random, program, newProgram(random, usualSize));
      expect(decodeProgram(encodeProgram(program))).toEqual(program);
    }
  });

  test.each([
    ['', 'a thread begins with b or f'],
    ['pu01', 'there is no thread'],
    ['bq', 'no operation "q"'],
    ['be0', 'no operation "e"'],
    ['fu01', 'no operation "u"'],
    ['bu0', 'needs a count from 1 to 3'],
    ['bu04', 'needs a count from 1 to 3'],
    ['bu81', 'needs a page from 0 to 7'],
    ['b_b_b_b', 'at most 3 threads'],
    ['b_b_b_f_f', 'at most 4 fit'],
    [`b${'x'.repeat(17)}`, 'at most 16 fit'],
  ])('%s is refused in one line', (text, message) => {
    expect(() => decodeProgram(text)).toThrow(ProgramError);
    expect(() => decodeProgram(text)).toThrow(message);
  });

  test('every opcode has one row and one letter', () => {
    expect(operations.map(({ op }) => op).sort((a, b) => a - b)).toEqual(
      Array.from({ length: FUZZ_OPCODES - 1 }, (_, i) => i + 1),
    );
    expect(new Set(operations.map(({ letter }) => letter)).size).toBe(operations.length);
  });

  test('a program for people names steps and operands', () => {
    expect(describeProgram(decodeProgram('pm00210_bu02_fe1'))).toEqual([
      'before   map slot 0 grant 0 count 2 page 1 readonly 0',
      'process  munmap page 0 count 2',
      'granter  end grant 1',
    ]);
  });
});
