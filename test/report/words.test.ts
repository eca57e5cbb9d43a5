/**
 * Goal: a word is found by its name, and its record comes with it. Method: all words of a race's
 * machine, named and found again; a machine whose tables have every form of index.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { prepareRace } from '../../src/campaign/race-scenarios.ts';
import { races } from '../../src/corpus/races.ts';
import { plainMeaning } from '../../src/report/meaning.ts';
import { Words, nameOf, wordNamed } from '../../src/report/words.ts';
import { createMachine, wordName } from '../../src/shared/layout.ts';
import { defineTable } from '../../src/shared/table.ts';
import { Page, machine } from './small-race.ts';

test('every word of a race is found by its name', () => {
  const race = races[0] as (typeof races)[number];
  const { machine: big } = prepareRace(race, race.designs[0] as string);
  fc.assert(
    fc.property(fc.integer({ min: 16, max: big.words.length - 1 }), (word) => {
      const name = wordName(big, word);
      if (/^word\[|\.pad\d+$/.test(name)) return;
      // Frames that can hold page tables and those that cannot share the names of their words.
      expect(wordName(big, wordNamed(big, name))).toBe(name);
    }),
  );
  expect(wordNamed(big, 'nothing[1].of the kind')).toBe(0);
});

test('names have their table, field and indices', () => {
  const One = defineTable('one', [], { value: '[ANY] a' });
  const Cpu = defineTable('%v.cpu', ['vcpus'], { up: '[ANY] b', mask: '[ANY] c' });
  const Two = defineTable('t[d%].e[%]', ['domains', 'n'], { x: '[XEN] d' }, { lineAligned: true });
  const config = { vcpus: 4, vcpusPerDomain: 2, domains: 2, n: 3 };
  const small = createMachine([One, Cpu, Two], config);
  expect(nameOf(small, One.value.word)).toMatchObject({ name: 'one', field: 'value', index: [] });
  expect(nameOf(small, Cpu.mask.at(3))).toMatchObject({ name: 'd1v1.cpu.mask', index: [3] });
  expect(nameOf(small, Two.x.at2(1, 2))).toEqual({
    word: Two.x.at2(1, 2),
    name: 't[d1].e[2].x',
    table: 't[d%].e[%]',
    field: 'x',
    index: [1, 2],
    doc: '[XEN] d',
  });
  for (const word of [One.value.word, Cpu.up.at(2), Two.x.at2(0, 1)]) {
    expect(wordNamed(small, wordName(small, word))).toBe(word);
  }
});

test('a record is completed, and a word that changed unseen says so', () => {
  const words = new Words(machine, plainMeaning, machine.words.slice());
  const refcount = Page.refcount.at2(0, 3);
  words.of(refcount);
  words.completeRecords();
  expect(words.objects.map(({ name }) => name)).toEqual([
    'd0.page[3].refcount',
    'd0.page[3].private',
  ]);
  const final = machine.words.slice();
  final[Page.private.at2(0, 3)] = 9;
  final[refcount] = 2;
  words.markUnseen(final, new Map([[refcount, 2]]));
  expect(words.objects.map(({ unseen }) => unseen === true)).toEqual([false, true]);
});
