/**
 * Goal: the oracle reports every access without a right and every stale translation, and nothing
 * lawful. Method: a small machine whose words are set by hand; accesses and pins go through the
 * operations, as simulated code does them.
 */
import { beforeEach, describe, expect, test } from 'vitest';
import { FrameWord, makePte } from '../../src/hardware/paging.ts';
import { bootHardware, hardwareDefaults, hardwareTables } from '../../src/hardware/tables.ts';
import { tlbFill } from '../../src/hardware/tlb.ts';
import { linuxDefaults, linuxTables } from '../../src/linux/tables.ts';
import {
  TRACE_GRANT_END,
  TRACE_GRANT_MAP,
  TRACE_GRANT_UNMAP,
  TRACE_GUP,
} from '../../src/linux/tracepoints.ts';
import { createOracle } from '../../src/oracle/oracle.ts';
import { oracleDefaults, oracleTables } from '../../src/oracle/shadow.ts';
import type { Finding } from '../../src/oracle/violation.ts';
import {
  ACCESS_WITHOUT_RIGHT,
  FRAME_REFERENCE,
  GUP_WRONG_PAGE,
  REVOKED_WHILE_PINNED,
  STALE_TRANSLATION,
  UNMAPPED_IN_USE,
} from '../../src/oracle/violation.ts';
import { SoloEngine } from '../../src/shared/engine.ts';
import { createMachine } from '../../src/shared/layout.ts';
import { poke } from '../../src/shared/memory.ts';
import {
  finish,
  installEngine,
  loadThrough,
  read,
  trace,
  write,
} from '../../src/shared/operations.ts';
import { sharedDefaults, sharedTables } from '../../src/shared/tables.ts';
import { Page } from '../../src/linux/mm/page.ts';
import { ActiveEntry } from '../../src/xen/grant-table/active.ts';
import { PageInfo } from '../../src/xen/page-info.ts';
import { xenDefaults, xenTables } from '../../src/xen/tables.ts';
import { TRC_PAGE_ALLOC, TRC_PAGE_FREE } from '../../src/xen/tracepoints.ts';

const tinyConfig = {
  ...sharedDefaults,
  ...hardwareDefaults,
  ...xenDefaults,
  ...linuxDefaults,
  ...oracleDefaults,
};
const GRANTER = 0;
const GRANTEE = 1;
const MFN = 9;
const REF = 3;

let found: Finding[];

function setUp(device: boolean): void {
  const machine = createMachine(
    [...sharedTables, ...hardwareTables, ...xenTables, ...linuxTables, ...oracleTables],
    tinyConfig,
  );
  bootHardware(machine.config);
  found = [];
  const oracle = createOracle(machine, [{ vcpu: -1, domid: GRANTEE, device }], (...finding) => {
    const [actor, violation, wordA, wordB] = finding;
    found.push({ actor, violation, wordA, wordB });
  });
  installEngine(new SoloEngine(oracle, machine.watchedFrom));
  poke(PageInfo.owner.at(MFN), GRANTER);
  poke(ActiveEntry.domid.at2(GRANTER, REF), GRANTEE);
  poke(ActiveEntry.mfn.at2(GRANTER, REF), MFN);
}

const kinds = (): number[] => found.map(({ violation }) => violation);
const cpuAccess = (mfn: number): void => {
  finish(loadThrough(0, 0x676e7431, FrameWord.value.at2(mfn, 0)));
};
const setPin = (pin: number): void => finish(write(ActiveEntry.pin.at2(GRANTER, REF), pin));

describe('rights', () => {
  beforeEach(() => setUp(false));

  test('a domain reaches a foreign frame while a pin of any kind is there, and not after', () => {
    cpuAccess(MFN);
    expect(kinds()).toEqual([ACCESS_WITHOUT_RIGHT]);
    setPin(1);
    setPin(0x0102);
    cpuAccess(MFN);
    expect(found.length).toBe(1);
    setPin(0);
    cpuAccess(MFN);
    expect(kinds()).toEqual([ACCESS_WITHOUT_RIGHT, ACCESS_WITHOUT_RIGHT]);
  });

  test('a domain reaches its own frames', () => {
    poke(PageInfo.owner.at(MFN), GRANTEE);
    cpuAccess(MFN);
    expect(found).toEqual([]);
  });

  test('the hypervisor’s own accesses from a vCPU need no right', () => {
    finish(read(FrameWord.value.at2(MFN, 0)));
    expect(found).toEqual([]);
  });

  test('every access of a device counts', () => {
    setUp(true);
    finish(read(FrameWord.value.at2(MFN, 0)));
    expect(kinds()).toEqual([ACCESS_WITHOUT_RIGHT]);
  });

  test('dropping the last pin under a cached translation is a stale translation', () => {
    const vcpu = GRANTEE * 2;
    setPin(2);
    tlbFill(vcpu, 5, makePte(MFN, 1));
    setPin(1);
    expect(found).toEqual([]);
    setPin(0);
    expect(kinds()).toEqual([STALE_TRANSLATION]);
  });

  test('a frame that goes back to the heap under a pin is found', () => {
    trace(TRC_PAGE_FREE, MFN, GRANTER, 0);
    expect(found).toEqual([]);
    setPin(1);
    trace(TRC_PAGE_FREE, MFN, GRANTER, 0);
    expect(kinds()).toEqual([FRAME_REFERENCE]);
  });

  test('a frame that gets an owner while another domain’s TLB translates to it is found', () => {
    tlbFill(GRANTEE * 2, 5, makePte(MFN, 1));
    trace(TRC_PAGE_ALLOC, MFN, GRANTEE, 0);
    expect(found).toEqual([]);
    trace(TRC_PAGE_ALLOC, MFN, GRANTER, 0);
    expect(kinds()).toEqual([STALE_TRANSLATION]);
  });

  test('a translation of the granter itself is not stale', () => {
    setPin(1);
    tlbFill(GRANTER, 5, makePte(MFN, 1));
    setPin(0);
    expect(found).toEqual([]);
  });
});

describe('pages', () => {
  const perDomain = tinyConfig.pagesPerDomain;
  const page = GRANTEE * perDomain + 2;
  const other = GRANTEE * perDomain + 3;
  beforeEach(() => setUp(false));

  test('GUP of a grant’s address must return the page the grant is mapped onto', () => {
    trace(TRACE_GRANT_MAP, 40, page, 0);
    trace(TRACE_GRANT_MAP, 41, other, 0);
    trace(TRACE_GUP, 40, page, 0);
    trace(TRACE_GUP, 77, page + 2, 0);
    expect(found).toEqual([]);
    trace(TRACE_GUP, 40, other, 0);
    trace(TRACE_GUP, 41, page + 2, 0);
    trace(TRACE_GUP, 40, page, 1);
    expect(kinds()).toEqual([GUP_WRONG_PAGE, GUP_WRONG_PAGE, GUP_WRONG_PAGE]);
  });

  test('an unmapped address is nobody’s any more', () => {
    trace(TRACE_GRANT_MAP, 40, page, 0);
    trace(TRACE_GRANT_UNMAP, page, GRANTEE, 0);
    trace(TRACE_GUP, 40, other, 0);
    expect(found).toEqual([]);
  });

  test('unmapping a page that somebody holds is found by its reference count', () => {
    poke(Page.refcount.at2(GRANTEE, 2), 1);
    trace(TRACE_GRANT_UNMAP, page, GRANTEE, 0);
    expect(found).toEqual([]);
    poke(Page.refcount.at2(GRANTEE, 2), 2);
    trace(TRACE_GRANT_UNMAP, page, GRANTEE, 0);
    expect(kinds()).toEqual([UNMAPPED_IN_USE]);
  });

  test('ending access under a pin is found', () => {
    trace(TRACE_GRANT_END, GRANTER, REF, 0);
    expect(found).toEqual([]);
    setPin(1);
    trace(TRACE_GRANT_END, GRANTER, REF, 0);
    expect(kinds()).toEqual([REVOKED_WHILE_PINNED]);
  });
});
