/**
 * Goal: no object is given out twice, none is lost, the lowest free one comes first.
 * Method: random commands against a set as a model; several actors that allocate and free at once.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { BUG_SLAB_DOUBLE_FREE } from '../../src/shared/bugs.ts';
import { mem } from '../../src/shared/memory.ts';
import type { Op } from '../../src/shared/op.ts';
import { fetchAdd, runAlone, warnOn } from '../../src/shared/operations.ts';
import { lowestClear, slabAlloc, slabFree, slabInUse, slabWords } from '../../src/shared/slab.ts';
import { BUG_TORN, arena, expectBroken, expectSafe, increment, valueOf, word } from './arena.ts';

const BITMAP = 0;
const OBJECTS = 20;

/** Takes an object, makes sure that nobody else has it, and gives it back. */
function* user(count: number, rounds: number): Op<void> {
  for (let i = 0; i < rounds; i++) {
    const object = yield* slabAlloc(word(BITMAP), count);
    if (object < 0) continue;
    const users = yield* fetchAdd(word(OBJECTS + object), 1);
    warnOn(users !== 0, BUG_TORN, object, users);
    yield* fetchAdd(word(OBJECTS + object), -1);
    yield* slabFree(word(BITMAP), object);
  }
}
function* allocates(mine: number, count: number): Op<void> {
  const object = yield* slabAlloc(word(BITMAP), count);
  warnOn(object < 0, BUG_TORN, mine, object);
  yield* increment(OBJECTS + object);
}
function* twice(): Op<void> {
  const object = yield* slabAlloc(word(BITMAP), 40);
  yield* slabFree(word(BITMAP), object);
  yield* slabFree(word(BITMAP), object);
}
function allDifferent(): string | null {
  const each = [0, 1, 2].every((i) => valueOf(OBJECTS + i) === 1);
  return each ? null : 'objects: one was given twice';
}

describe('slab', () => {
  test('finds the lowest clear bit of any word', () => {
    fc.assert(
      fc.property(fc.integer(), (bits) => {
        let bit = 0;
        while (bit < 32 && ((bits >>> bit) & 1) === 1) bit++;
        expect(lowestClear(bits)).toBe(bit);
      }),
      { examples: [[-1], [0], [0x7fffffff], [-0x80000000], [-2]] },
    );
  });

  test('behaves like a set of free objects, at every size', () => {
    const size = fc.integer({ min: 1, max: 100 });
    const commands = fc.array(fc.option(fc.nat()), { maxLength: 150 });
    fc.assert(
      fc.property(size, commands, (count, list) => {
        arena();
        const used: number[] = [];
        for (const command of list) {
          if (command === null || used.length === 0) {
            let lowest = 0;
            while (used.includes(lowest)) lowest++;
            const object = runAlone(slabAlloc(word(BITMAP), count));
            expect(object).toBe(lowest < count ? lowest : -1);
            if (object >= 0) used.push(object);
          } else {
            const [object] = used.splice(command % used.length, 1);
            expect(runAlone(slabInUse(word(BITMAP), object as number))).toBe(1);
            runAlone(slabFree(word(BITMAP), object as number));
            expect(runAlone(slabInUse(word(BITMAP), object as number))).toBe(0);
          }
        }
        expect(mem[word(BITMAP) + slabWords(count)]).toBe(0);
      }),
    );
  });

  test('two that allocate at once get different objects', () => {
    expectSafe({ bodies: [0, 1, 2].map((i) => () => allocates(i, 3)), final: allDifferent });
  });

  test('an object has one user at a time', () => {
    expectSafe({ bodies: [() => user(1, 2), () => user(1, 2)] });
    expectSafe({ bodies: [() => user(2, 1), () => user(2, 2), () => user(2, 1)] });
  });

  test('freeing twice is reported', () => {
    expectBroken(BUG_SLAB_DOUBLE_FREE, { bodies: [twice] });
  });
});
