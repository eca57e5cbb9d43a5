/**
 * Goal: the values of the machine's words read as the kernel's people say them, and every table is
 * drawn as some structure. Method: values composed by the simulated kernel's own functions, and
 * all tables of a race's machine.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { raceTables } from '../../src/corpus/posed.ts';
import { tinySizes } from '../../src/actors/machine.ts';
import { prepareRace } from '../../src/campaign/race-scenarios.ts';
import { races } from '../../src/corpus/races.ts';
import { kernelMeaning } from '../../src/decode/meaning.ts';
import { STRUCTURES } from '../../src/decode/structures.ts';
import { PTE_PRESENT, PTE_RW, PtWord, makePte } from '../../src/hardware/paging.ts';
import { FOREIGN_FRAME_BIT, P2m } from '../../src/linux/mm/p2m.ts';
import { Mm } from '../../src/linux/mm/mm.ts';
import { TRACE_GUP } from '../../src/linux/tracepoints.ts';
import { GUP_PIN_COUNTING_BIAS, Page } from '../../src/linux/mm/page.ts';
import { Vma } from '../../src/linux/mm/vma.ts';
import { KERNEL_ASSERTION, UNMAPPED_IN_USE, explain } from '../../src/oracle/violation.ts';
import { nameOf } from '../../src/report/words.ts';
import { TICKET } from '../../src/shared/spinlock.ts';
import { ActiveEntry, GNTPIN_devr_inc, GNTPIN_hstw_inc } from '../../src/xen/grant-table/active.ts';
import { GrantEntry, entryHeader } from '../../src/xen/grant-table/entry.ts';
import { GrantTable } from '../../src/xen/grant-table/lock.ts';
import { Maptrack } from '../../src/xen/grant-table/maptrack.ts';
import { PGC_allocated, PageInfo } from '../../src/xen/page-info.ts';
import {
  GNTMAP_host_map,
  GTF_permit_access,
  GTF_reading,
} from '../../src/xen/public/grant-table.ts';

const race = races[0] as (typeof races)[number];
const { machine } = prepareRace(race, race.designs[0] as string);
const meaning = kernelMeaning(machine);
const said = (word: number, value: number): string | null =>
  meaning.value(nameOf(machine, word), value);

test('entries, pins and references read as their structures have them', () => {
  const header = entryHeader(GTF_permit_access | GTF_reading, 1);
  expect(said(GrantEntry.hdr.at2(0, 8), header)).toBe('GTF_permit_access|GTF_reading d1');
  expect(said(ActiveEntry.pin.at2(0, 8), 2 * GNTPIN_hstw_inc + GNTPIN_devr_inc)).toBe(
    'hstw 2, devr 1',
  );
  expect(said(PtWord.value.at2(5, 3), makePte(47, PTE_PRESENT | PTE_RW))).toBe('mfn 47 P|RW');
  expect(said(PtWord.value.at2(5, 3), 0)).toBe('none');
  expect(said(Maptrack.flags.at2(0, 1), GNTMAP_host_map)).toBe('GNTMAP_host_map');
  expect(said(PageInfo.countInfo.at(9), PGC_allocated | 3)).toBe('count 3 PGC_allocated');
  expect(said(P2m.value.at2(0, 3), FOREIGN_FRAME_BIT | 12)).toBe('mfn 12 foreign');
  expect(said(Page.refcount.at2(0, 3), GUP_PIN_COUNTING_BIAS + 2)).toBe('2 + 1 pinned');
  expect(said(Page.refcount.at2(0, 3), 2)).toBeNull();
  expect(said(Vma.pageProt.at(0), PTE_PRESENT)).toBe('PTE_PRESENT');
  expect(said(Vma.mapping.at(0), 1)).toBeNull();
});

test('locks say who has them', () => {
  expect(said(ActiveEntry.lock.at2(0, 8), 0)).toBe('free');
  expect(said(ActiveEntry.lock.at2(0, 8), 3 * TICKET + 2)).toBe('held, ticket 2');
  expect(said(ActiveEntry.lock.at2(0, 8), 5 * TICKET + 2)).toBe('held, 2 wait');
  expect(said(Mm.mmapLock.at(0), 0x203)).toBe('writer, 2 readers, 1 writer waits');
  expect(said(Mm.mmLockSeq.at(0), 5)).toBe('5 write section');
  expect(said(GrantTable.rwlock.at(0), 0x10000)).toBe('1 reader');
});

test('a ticket lock is free or held as its own functions say, for every value', () => {
  const word = nameOf(machine, ActiveEntry.lock.at2(0, 8));
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 0xffff }), fc.integer({ min: 0, max: 9 }), (owner, n) => {
      const next = (owner + n) & 0xffff;
      const text = meaning.value(word, (next << 16) | owner) ?? '';
      const told = n === 0 ? /^free/ : n === 1 ? /^held(, ticket|$)/ : new RegExp(`${n - 1} wait`);
      expect(text).toMatch(told);
    }),
  );
});

test('every table has a structure, and the ones that are drawn have theirs', () => {
  for (const { shape } of raceTables) {
    const structure = meaning.structure({
      word: 0,
      name: '',
      table: shape.name,
      field: '',
      index: [],
      doc: '',
    });
    expect(STRUCTURES, shape.name).toContain(structure);
  }
  const structureOf = (word: number): string => meaning.structure(nameOf(machine, word));
  expect(structureOf(PtWord.value.at2(5, 3))).toBe('page-table');
  expect(structureOf(Vma.vmStart.at(0))).toBe('vma');
  expect(structureOf(GrantEntry.hdr.at2(0, 0))).toBe('grant-entry');
  expect(structureOf(ActiveEntry.pin.at2(0, 0))).toBe('active-entry');
  expect(structureOf(Maptrack.ref.at2(0, 0))).toBe('maptrack');
  expect(structureOf(Page.refcount.at2(0, 0))).toBe('struct-page');
});

test('tracepoints, assertions and rules are sentences', () => {
  const pages = tinySizes['pagesPerDomain'] ?? 0;
  expect(meaning.event(TRACE_GUP, 2, pages + 3, 0)).toBe(
    'get_user_pages: vpn 2 gave d1.page[3] (mm 0)',
  );
  expect(meaning.event(0x7fff, 1, 2, 3)).toBe('tracepoint 0x7fff (1, 2, 3)');
  const { what, meaning: rule } = explain(UNMAPPED_IN_USE);
  expect(meaning.rule('I8', `I8: ${what} (d0.page[15].refcount)`)).toBe(rule);
  expect(meaning.rule('x', 'x: unheard of')).toBeNull();
  expect(meaning.assertion(0x206)).toBe(explain(KERNEL_ASSERTION + 0x206).what);
  expect(meaning.rule('kernel', 'kernel: BUG')).not.toBeNull();
});
