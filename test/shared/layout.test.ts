/**
 * Goal: every word of a machine has one place and one name, and going back to a snapshot is exact.
 * Method: machines of random shapes; names and places are compared with a plain reckoning.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createMachine, openMachine, wordName } from '../../src/shared/layout.ts';
import { mem, poke, restore, snapshot } from '../../src/shared/memory.ts';
import { defineTable } from '../../src/shared/table.ts';

const Entry = defineTable('gnttab[d%].entry[%]', ['domains', 'entries'], {
  hdr: '[XEN,GST] flags and domid',
  frame: '[GST] gfn',
});
const Vcpu = defineTable('%v.state', ['vcpus'], { mode: '[HW] mode' }, { lineAligned: true });
const Word = defineTable(
  'frame[%].word[%]',
  ['frames', 'entries'],
  { value: '[ANY]' },
  {
    watched: true,
  },
);
const tables = [Word, Entry, Vcpu];
const config = { domains: 2, entries: 3, vcpus: 4, vcpusPerDomain: 2, frames: 5 };

describe('layout', () => {
  test('words carry the names of their tables', () => {
    const machine = createMachine(tables, config);
    expect(wordName(machine, Entry.hdr.at2(1, 2))).toBe('gnttab[d1].entry[2].hdr');
    expect(wordName(machine, Entry.frame.at2(0, 1))).toBe('gnttab[d0].entry[1].frame');
    expect(wordName(machine, Vcpu.mode.at(3))).toBe('d1v1.state.mode');
    expect(wordName(machine, Word.value.at2(4, 1))).toBe('frame[4].word[1]');
  });

  test('watched tables lie behind all others', () => {
    const machine = createMachine(tables, config);
    expect(Word.value.at2(0, 0)).toBe(machine.watchedFrom);
    expect(Vcpu.mode.at(3)).toBeLessThan(machine.watchedFrom);
  });

  test('no two words share a place, whatever the sizes', () => {
    const sizes = fc.record({
      domains: fc.integer({ min: 1, max: 4 }),
      entries: fc.integer({ min: 1, max: 9 }),
      vcpus: fc.integer({ min: 1, max: 5 }),
      frames: fc.integer({ min: 1, max: 9 }),
    });
    fc.assert(
      fc.property(sizes, (some) => {
        const machine = createMachine(tables, some);
        const seen = new Set<number>();
        const take = (word: number): void => {
          expect(seen.has(word)).toBe(false);
          expect(word).toBeLessThan(machine.words.length);
          seen.add(word);
        };
        for (let i = 0; i < some.domains; i++) {
          for (let j = 0; j < some.entries; j++) {
            take(Entry.hdr.at2(i, j));
            take(Entry.frame.at2(i, j));
          }
        }
        for (let i = 0; i < some.vcpus; i++) take(Vcpu.mode.at(i));
        for (let i = 0; i < some.frames; i++) {
          for (let j = 0; j < some.entries; j++) take(Word.value.at2(i, j));
        }
      }),
    );
  });

  test('restore brings back exactly the snapshot', () => {
    createMachine(tables, config);
    poke(Entry.hdr.at2(1, 1), 7);
    const saved = snapshot();
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(mem.length - 1), fc.integer())), (writes) => {
        for (const [word, value] of writes) poke(word, value);
        restore(saved);
        expect(mem).toEqual(saved);
      }),
    );
  });

  test('a machine of other sizes or code is refused', () => {
    const machine = createMachine(tables, config);
    expect(() => openMachine(tables, { ...config, frames: 6 }, machine.memory)).toThrow(
      /other code/,
    );
    expect(() => createMachine(tables, { ...config, frames: 0 })).toThrow(/frames must be/);
    expect(() => createMachine(tables, { ...config, frames: 2 ** 30 })).toThrow(/at most/);
  });
});
