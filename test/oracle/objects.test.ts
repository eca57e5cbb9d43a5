/**
 * Goal: the oracle sees an object that is touched after it was freed, a page table that is freed
 * under a walk, and a broken list of notifiers. Method: single words of a booted tiny machine are
 * set; the oracle is told of accesses as in a run.
 */
import { beforeEach, expect, test } from 'vitest';
import { buildMachine, tinySizes } from '../../src/actors/machine.ts';
import { ptEntryWord } from '../../src/hardware/paging.ts';
import { Mm } from '../../src/linux/mm/mm.ts';
import { MmPool } from '../../src/linux/mm/mm-life.ts';
import { MmuInterval, MmuIntervalPool } from '../../src/linux/mm/mmu-notifier.ts';
import { P2m } from '../../src/linux/mm/p2m.ts';
import { Page } from '../../src/linux/mm/page.ts';
import { TRACE_PAGE_FREE } from '../../src/linux/mm/tracepoints.ts';
import { checkNotifiers } from '../../src/oracle/invariants/notifiers.ts';
import { createOracle } from '../../src/oracle/oracle.ts';
import { oracleDefaults, oracleTables } from '../../src/oracle/shadow.ts';
import { NOTIFIER_LIST, USED_AFTER_FREE } from '../../src/oracle/violation.ts';
import { READ, READ_ONCE } from '../../src/shared/kinds.ts';
import { mem, poke } from '../../src/shared/memory.ts';
import type { Observer } from '../../src/shared/observer.ts';
import { runAlone } from '../../src/shared/operations.ts';
import { rcuReadLock, rcuReadUnlock } from '../../src/shared/rcu.ts';

/** A page of domain 0 whose frame can hold a page table. */
const TABLE = 1;
let found: number[];
let oracle: Observer;
const report = (_actor: number, violation: number): void => {
  found.push(violation);
};

beforeEach(() => {
  const sizes = { ...tinySizes, ...oracleDefaults };
  const machine = buildMachine('toolstack', sizes, oracleTables);
  found = [];
  oracle = createOracle(machine, [{ vcpu: 0, domid: 0, device: false }], report);
});

test('a notifier is touched while it is in use', () => {
  const word = MmuInterval.next.at(1);
  poke(MmuIntervalPool.value.at(0), 1 << 1);
  oracle.access(0, READ, word, 0, 0);
  expect(found).toEqual([]);
  poke(MmuIntervalPool.value.at(0), 1 << 2);
  oracle.access(0, READ, word, 0, 0);
  expect(found).toEqual([USED_AFTER_FREE]);
});

function walk(): void {
  const word = ptEntryWord(mem[P2m.value.at2(0, TABLE)] as number, 0);
  oracle.access(0, READ_ONCE, word, 0, 0);
}

function freeTable(): void {
  oracle.trace(0, TRACE_PAGE_FREE, TABLE, 0, 0);
}

test('a page table is not freed in the read section in which it was walked', () => {
  walk();
  freeTable();
  runAlone(rcuReadLock(0));
  walk();
  runAlone(rcuReadUnlock(0));
  freeTable();
  runAlone(rcuReadLock(0));
  freeTable();
  expect(found).toEqual([]);
  walk();
  freeTable();
  expect(found).toEqual([USED_AFTER_FREE]);
});

test('a walk in a read section does not come to a free page table', () => {
  poke(Page.refcount.at(TABLE), 0);
  walk();
  expect(found).toEqual([]);
  runAlone(rcuReadLock(0));
  walk();
  expect(found).toEqual([USED_AFTER_FREE]);
});

test('the notifiers of an address space are in use, each once, and none is left over', () => {
  poke(MmPool.value.at(0), 1);
  poke(MmuIntervalPool.value.at(0), 0b11);
  poke(Mm.notifierHead.at(0), 0);
  poke(MmuInterval.mm.at(0), 0);
  poke(MmuInterval.mm.at(1), 0);
  poke(MmuInterval.next.at(0), 1);
  poke(MmuInterval.next.at(1), -1);
  poke(Mm.notifierDeferred.at(0), -1);
  checkNotifiers(report);
  expect(found).toEqual([]);
  poke(MmuInterval.next.at(1), 0);
  checkNotifiers(report);
  expect(found).toEqual([NOTIFIER_LIST]);
  poke(MmuInterval.next.at(1), -1);
  poke(MmuIntervalPool.value.at(0), 0b01);
  checkNotifiers(report);
  expect(found).toHaveLength(2);
  poke(MmuIntervalPool.value.at(0), 0b11);
  poke(Mm.notifierDeferred.at(0), 1);
  checkNotifiers(report);
  expect(found).toHaveLength(3);
});
