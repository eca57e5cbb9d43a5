/**
 * Goal: litmus files are read as the herd tools read them, and what cannot be read is named by
 * its line.
 * Method: small files with one feature each are run and their states compared; wrong files must
 * say which line is wrong and why.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { LitmusError } from '../../src/litmus/litmus-error.ts';
import { readLitmus } from '../../src/litmus/read.ts';
import { litmusReport } from '../../src/litmus/report.ts';
import type { LitmusResult } from '../../src/litmus/run.ts';
import { LitmusRunError, runLitmus } from '../../src/litmus/run.ts';

const statesOf = (text: string, memory: 'sc' | 'tso' = 'sc'): string[] =>
  runLitmus(readLitmus(text), memory).states.map(({ state, count }) => `${count}: ${state}`);

const x86 = (init: string, code: string, condition: string): string[] =>
  statesOf(`X86 T\n{ ${init} }\n${code}\n${condition}\n`);

const kernel = (init: string, code: string, condition: string): string[] =>
  statesOf(`C T\n\n{ ${init} }\n\n${code}\n\n${condition}\n`);

function runFile(name: string, memory: 'sc' | 'tso'): LitmusResult {
  const file = new URL(`c/${name}.litmus`, import.meta.url);
  return runLitmus(readLitmus(readFileSync(file, 'utf8')), memory);
}

describe('the report', () => {
  test('is what herd7 prints', () => {
    const file = new URL('x86/SB.litmus', import.meta.url);
    const result = runLitmus(readLitmus(readFileSync(file, 'utf8')), 'tso');
    expect(litmusReport({ ...result, seconds: 0 })).toBe(
      [
        'Test SB Allowed',
        'States 4',
        '0:EAX=0; 1:EAX=0;',
        '0:EAX=0; 1:EAX=1;',
        '0:EAX=1; 1:EAX=0;',
        '0:EAX=1; 1:EAX=1;',
        'Ok',
        'Witnesses',
        'Positive: 1 Negative: 3',
        'Condition exists (0:EAX=0 /\\ 1:EAX=0)',
        'Observation SB Sometimes 1 3',
        'Time SB 0.00',
        '',
      ].join('\n'),
    );
  });

  test('counts for ~exists what supports the claim, and observes the proposition', () => {
    const text = litmusReport(runFile('atomic-winner', 'sc'));
    expect(text).toContain('Test atomic-winner Forbidden\nStates 3\n');
    expect(text).toContain('Ok\nWitnesses\nPositive: 3 Negative: 0\n');
    expect(text).toContain('Observation atomic-winner Never 0 3\n');
  });

  test('leaves the verdict open when not every interleaving was run', () => {
    const file = new URL('x86/IRIW.litmus', import.meta.url);
    const result = runLitmus(readLitmus(readFileSync(file, 'utf8')), 'sc', 2);
    expect(litmusReport(result)).toContain('\nUndecided\n');
  });
});

describe('x86', () => {
  test('plain instructions, flags and forward jumps', () => {
    const code =
      'P0;\nMOV EAX,$3;\nADD EAX,$4;\nCMP EAX,$7;\nJNE OUT;\nINC EAX;\nOUT: MOV [x],EAX;';
    expect(x86('', code, 'forall (x=8)')).toEqual(['1: [x]=8;']);
  });

  test('locked updates give the value before and after', () => {
    const code = 'P0;\nMOV EAX,$5;\nLOCK XADD [x],EAX;\nMOV EBX,$9;\nLOCK CMPXCHG [x],EBX;';
    expect(x86('x=5; 0:EBX=1;', code, 'exists (0:EAX=10 /\\ x=10)')).toEqual([
      '1: 0:EAX=10; [x]=10;',
    ]);
    expect(x86('x=2;', 'P0;\nLOCK DEC [x];', 'exists (x=1)')).toEqual(['1: [x]=1;']);
    expect(x86('x=6;', 'P0;\nLOCK AND [x],$3;\nLOCK OR [x],$8;', 'exists (x=10)')).toEqual([
      '1: [x]=10;',
    ]);
  });

  test('an unlocked update of memory can lose another one', () => {
    const code = 'P0 | P1;\nINC [x] | INC [x];';
    expect(x86('', code, 'exists (x=1)')).toEqual(['2: [x]=1;', '2: [x]=2;']);
  });

  test('registers can hold addresses', () => {
    const code = 'P0;\nMOV EBX,[EAX];\nMOV [x],EAX;';
    expect(x86('0:EAX=y; y=4;', code, 'exists (0:EBX=4 /\\ x=y)')).toEqual(['1: 0:EBX=4; [x]=y;']);
  });

  test('X86_64 is read in the order of AT&T', () => {
    const text =
      'X86_64 SB\n"doc"\n{}\n P0 | P1 ;\n movl $1,(x) | movl $1,(y) ;\n mfence | mfence ;\n' +
      ' movl (y),%eax | movq (x),%rax ;\nexists (0:rax=0 /\\ 1:rax=0)\n';
    const { positive, negative } = runLitmus(readLitmus(text), 'tso');
    expect([positive, negative]).toEqual([0, 3]);
  });
});

describe("the kernel's C", () => {
  const rows: readonly (readonly [string, 'sc' | 'tso', string, number, number])[] = [
    ['MP+release+acquire', 'tso', 'Never', 0, 3],
    ['SB+onces', 'sc', 'Never', 0, 3],
    ['SB+onces', 'tso', 'Sometimes', 1, 3],
    ['SB+mbs', 'tso', 'Never', 0, 3],
    ['lock-increment', 'tso', 'Always', 2, 0],
    ['atomic-winner', 'tso', 'Never', 0, 3],
    ['control-flow', 'tso', 'Sometimes', 1, 3],
    ['RCU+sync+free', 'sc', 'Never', 0, 2],
    ['RCU+sync+free', 'tso', 'Never', 0, 2],
    ['trylock', 'tso', 'Sometimes', 1, 7],
  ];
  for (const [name, memory, observation, positive, negative] of rows) {
    test(`${name} under ${memory}: ${observation} ${positive} ${negative}`, () => {
      const result = runFile(name, memory);
      expect([result.observation, result.positive, result.negative]).toEqual([
        observation,
        positive,
        negative,
      ]);
    });
  }

  test('short circuits leave out the second load', () => {
    const code = 'P0(int *x, int *y)\n{\n\tint r0 = READ_ONCE(*x) || xchg(y, 5);\n}';
    expect(kernel('x=1;', code, 'exists (0:r0=1 /\\ y=0)')).toEqual(['1: 0:r0=1; [y]=0;']);
    expect(kernel('x=0;', code, 'exists (0:r0=0 /\\ y=5)')).toEqual(['1: 0:r0=0; [y]=5;']);
  });

  test('a thread that waits for ever has no final state', () => {
    const code = 'P0(spinlock_t *s)\n{\n\tspin_lock(s);\n\tspin_lock(s);\n}';
    expect(kernel('', code, 'exists (s=1)')).toEqual([]);
  });

  test('filter leaves executions out, locations adds places', () => {
    const code =
      'P0(int *x)\n{\n\tWRITE_ONCE(*x, 1);\n}\n\nP1(int *x)\n{\n\tint r0 = READ_ONCE(*x);\n}';
    expect(kernel('', code, 'filter (1:r0=1)\nlocations [x; 1:r0]\nexists (true)')).toEqual([
      '1: 1:r0=1; [x]=1;',
    ]);
  });

  test('a number that is no address cannot be followed', () => {
    const text = 'C T\n\n{}\n\nP0(int *x)\n{\n\tint r0 = *(int *)5;\n}\n\nexists (0:r0=0)\n';
    expect(() => runLitmus(readLitmus(text), 'sc')).toThrow(LitmusRunError);
  });
});

describe('what cannot be read is named by line', () => {
  const faults: readonly (readonly [what: string, text: string, line: number, why: RegExp])[] = [
    ['another architecture', 'ARM T\n{}\nexists (x=1)\n', 1, /"ARM" is not read/],
    ['no initial state', 'X86 T\nP0;\nexists (x=1)\n', 3, /initial state/],
    ['an instruction', 'X86 T\n{}\nP0;\nNOP;\nFROB EAX;\nexists (x=1)\n', 5, /"FROB"/],
    ['a register', 'X86 T\n{}\nP0;\nMOV FAX,$1;\nexists (x=1)\n', 4, /"FAX"/],
    ['a loop', 'X86 T\n{}\nP0;\nL: NOP;\nJMP L;\nexists (x=1)\n', 5, /loops/],
    ['no condition', 'X86 T\n{}\nP0;\nNOP;\n', 4, /no condition/],
    ['a broken condition', 'X86 T\n{}\nP0;\nNOP;\nexists (x=\n', 5, /ends too early|number/],
    ['a thread that is nowhere', 'X86 T\n{}\nP0;\nNOP;\nexists (3:EAX=0)\n', 5, /P3/],
    ['a large number', 'X86 T\n{ x=99999999999; }\nP0;\nNOP;\nexists (x=1)\n', 2, /32 bits/],
    ['a while', 'C T\n\n{}\n\nP0(int *x)\n{\n\twhile (1) {}\n}\n\nexists (x=1)\n', 7, /"while"/],
    ['a function', 'C T\n\n{}\n\nP0(int *x)\n{\n\tfrob(x);\n}\n\nexists (x=1)\n', 7, /"frob"/],
    ['a parameter', 'C T\n\n{}\n\nP0(int x)\n{\n}\n\nexists (x=1)\n', 5, /no pointer/],
    ['an order of threads', 'C T\n\n{}\n\nP1(int *x)\n{\n}\n\nexists (x=1)\n', 5, /P0/],
    ['a character', 'C T\n\n{}\n\nP0(int *x)\n{\n\t`\n}\n\nexists (x=1)\n', 7, /cannot read "`"/],
  ];
  for (const [what, text, line, why] of faults) {
    test(what, () => {
      let caught: unknown;
      try {
        readLitmus(text);
      } catch (error) {
        caught = error;
      }
      expect(caught).toBeInstanceOf(LitmusError);
      expect((caught as LitmusError).line).toBe(line);
      expect((caught as LitmusError).message).toMatch(why);
    });
  }
});
