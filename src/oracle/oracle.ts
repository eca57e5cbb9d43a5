/**
 * The oracle as an observer of a run: passes every access, tracepoint and assertion to the
 * invariants that it concerns.
 */
import { BUG_PAYLOAD } from '../hardware/bugs.ts';
import { CacheLine, nonCoherent } from '../hardware/cache.ts';
import { FrameWord, PtWord } from '../hardware/paging.ts';
import {
  TRACE_GRANT_END,
  TRACE_GRANT_MAP,
  TRACE_GRANT_UNMAP,
  TRACE_GUP,
} from '../linux/tracepoints.ts';
import { TRACE_PAGE_FREE } from '../linux/mm/tracepoints.ts';
import { LOAD_THROUGH, READ_ONCE, STORE_THROUGH } from '../shared/kinds.ts';
import type { Machine } from '../shared/layout.ts';
import type { Observer } from '../shared/observer.ts';
import { BUG_IMPLICIT_UNMAP } from '../xen/bugs.ts';
import { ActiveEntry } from '../xen/grant-table/active.ts';
import { GrantStatus } from '../xen/grant-table/entry.ts';
import {
  TRC_GRANT_COPY,
  TRC_GRANT_MAP,
  TRC_PAGE_ALLOC,
  TRC_PAGE_FREE,
  TRC_PAGE_VALIDATED,
} from '../xen/tracepoints.ts';
import { checkDmaMapped, dataAccess, dmaForget, dmaTraced } from './dma.ts';
import { checkCopy, checkMapped } from './invariants/grant-ops.ts';
import { statusTouched } from './invariants/status-frames.ts';
import { objectTouched, tableFreed, tableRead, watchedPools } from './objects.ts';
import { accessEnded, grantMapped, grantUnmapped, guestPageFreed, pageGot } from './pages.ts';
import { rangeOf } from './range.ts';
import {
  checkAccess,
  pageAllocated,
  pageFreed,
  pageUnmapped,
  pageValidated,
  pinChanged,
} from './rights.ts';
import type { Report } from './violation.ts';
import { GRANT_PTE_OVERWRITTEN, KERNEL_ASSERTION, PAYLOAD_CORRUPT } from './violation.ts';

/** Whose accesses an actor makes. */
export interface ActorDomain {
  /** The vCPU; -1 for a device. */
  readonly vcpu: number;
  /** The domain that the vCPU or device belongs to. */
  readonly domid: number;
  /** A device reaches frames by every operation; a vCPU only through translations. */
  readonly device: boolean;
}

/** Tells the accesses to watched tables to the invariants that they concern. */
function watchAccesses(
  machine: Machine,
  actors: readonly ActorDomain[],
  report: Report,
): Observer['access'] {
  const data = rangeOf(machine, FrameWord);
  const tables = rangeOf(machine, PtWord);
  const active = rangeOf(machine, ActiveEntry);
  const pinOffset = ActiveEntry.pin.word - active.from;
  const frameWords = FrameWord.value.count;
  const tableWords = PtWord.value.count;
  const lines = rangeOf(machine, CacheLine);
  const lineOffset = CacheLine.value.word - lines.from;
  const cached = nonCoherent();
  const pools = watchedPools(machine);
  const status = rangeOf(machine, GrantStatus);

  const frameAccess = (actor: number, kind: number, mfn: number, word: number): void => {
    const who = actors[actor];
    if (who === undefined) return;
    if (kind !== LOAD_THROUGH && kind !== STORE_THROUGH && !who.device) return;
    checkAccess(actor, who.domid, mfn, word, report);
    if (who.device) checkDmaMapped(actor, mfn, word, report);
  };

  const lineAccess = (actor: number, kind: number, word: number, value: number): void => {
    if ((word - lines.from) % lines.stride !== lineOffset) return;
    const at = ((word - lines.from) / lines.stride) | 0;
    frameAccess(actor, kind, (at / frameWords) | 0, word);
    dataAccess(actor, actors[actor]?.device === true, kind, at, word, value, report);
  };

  const tableAccess = (actor: number, kind: number, mfn: number, word: number): void => {
    if (kind === READ_ONCE) tableRead(actor, actors[actor]?.vcpu ?? -1, mfn, word, report);
    else frameAccess(actor, kind, mfn, word);
  };

  const objectAccess = (actor: number, word: number): void => {
    for (const pool of pools) {
      if (word >= pool.from && word < pool.to) objectTouched(actor, pool, word, report);
    }
  };

  return (actor, kind, word, before, after) => {
    if (word >= data.from && word < data.to) {
      frameAccess(actor, kind, ((word - data.from) / frameWords) | 0, word);
      if (!cached) return;
      const isDevice = actors[actor]?.device === true;
      dataAccess(actor, isDevice, kind, word - data.from, word, after, report);
    } else if (word >= active.from && word < active.to) {
      if (before === after || (word - active.from) % active.stride !== pinOffset) return;
      pinChanged(actor, word, before, after, report);
    } else if (word >= tables.from && word < tables.to) {
      tableAccess(actor, kind, ((word - tables.from) / tableWords) | 0, word);
    } else if (cached && word >= lines.from && word < lines.to) {
      lineAccess(actor, kind, word, after);
    } else if (word >= status.from && word < status.to) {
      statusTouched(actor, word, report);
    } else {
      objectAccess(actor, word);
    }
  };
}

/**
 * Watches a run.
 * @param machine - the attached machine.
 * @param actors - by index of the actor in the run.
 * @param report - takes what is found.
 */
export function createOracle(
  machine: Machine,
  actors: readonly ActorDomain[],
  report: Report,
): Observer {
  return {
    access: watchAccesses(machine, actors, report),
    trace(actor, point, a, b, c) {
      switch (point) {
        case TRACE_GUP:
          return pageGot(actor, a, b, c, report);
        case TRACE_GRANT_MAP:
          return grantMapped(a, b, c);
        case TRACE_GRANT_UNMAP:
          return grantUnmapped(actor, a, report);
        case TRACE_GRANT_END:
          return accessEnded(actor, a, b, report);
        case TRACE_PAGE_FREE:
          guestPageFreed(actor, a, report);
          pageUnmapped(actor, a, report);
          return tableFreed(actor, a, report);
        case TRC_PAGE_FREE:
          return pageFreed(actor, a, report);
        case TRC_PAGE_ALLOC:
          dmaForget(a);
          return pageAllocated(actor, a, b, report);
        case TRC_GRANT_MAP:
          return checkMapped(actor, a, b, c, report);
        case TRC_GRANT_COPY:
          return checkCopy(actor, a, b, report);
        case TRC_PAGE_VALIDATED:
          return pageValidated(actor, a, b, report);
        default:
          return dmaTraced(actor, point, a, b, report);
      }
    },
    bug(actor, id) {
      report(actor, violationOf(id), 0, 0);
    },
  };
}

/** Assertions that stand for an invariant of ours; the others for themselves. */
function violationOf(bug: number): number {
  if (bug === BUG_IMPLICIT_UNMAP) return GRANT_PTE_OVERWRITTEN;
  return bug === BUG_PAYLOAD ? PAYLOAD_CORRUPT : KERNEL_ASSERTION + bug;
}
