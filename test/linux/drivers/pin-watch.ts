/**
 * An observer for tests: which page each grant was mapped onto, which pages get_user_pages gave out
 * and are still held, and what must hold of them (the page behind an address is the page its grant
 * was mapped onto; a page that somebody holds keeps its frame).
 */
import { PTE_PRESENT } from '../../../src/hardware/paging.ts';
import {
  GrantMap,
  MapKunmapOp,
  MapPage,
  MapUnmapOp,
} from '../../../src/linux/drivers/gntdev/grant-map.ts';
import { getUserPages, FOLL_WRITE } from '../../../src/linux/mm/gup.ts';
import { getUserPagesFast } from '../../../src/linux/mm/gup-fast.ts';
import { FOREIGN_FRAME_BIT, INVALID_P2M_ENTRY, P2m } from '../../../src/linux/mm/p2m.ts';
import { putPage } from '../../../src/linux/mm/page.ts';
import { TRACE_GRANT_MAP, TRACE_GUP, TRACE_GUP_PUT } from '../../../src/linux/tracepoints.ts';
import type { Op } from '../../../src/shared/op.ts';
import { cpuRelax, readLocal, trace } from '../../../src/shared/operations.ts';
import { now, result } from './guests.ts';

/** Watches the pages of one address space. */
export class PinWatch {
  private readonly behind = new Map<number, number>();
  private readonly held = new Map<number, number>();
  private complaint: string | null = null;

  /** Starts an execution: nobody holds anything; maps that are mapped already are known. */
  reset(mapped: readonly { map: number; vpn: number }[] = []): void {
    this.behind.clear();
    this.held.clear();
    this.complaint = null;
    for (const { map, vpn } of mapped) {
      for (let i = 0; i < now(GrantMap.count.at(map)); i++) {
        this.behind.set(vpn + i, now(MapPage.value.at2(map, i)));
      }
    }
  }

  onTrace(point: number, a: number, b: number): void {
    if (point === TRACE_GRANT_MAP) this.behind.set(a, b);
    if (point === TRACE_GUP_PUT) this.held.set(a, (this.held.get(a) ?? 0) - 1);
    if (point !== TRACE_GUP) return;
    this.held.set(b, (this.held.get(b) ?? 0) + 1);
    const wanted = this.behind.get(a);
    if (wanted !== undefined && wanted !== b) {
      this.complaint ??= `aliased: get_user_pages(${a}) gave page ${b}, not ${wanted}`;
    }
  }

  /** @returns what is wrong now. */
  broken(): string | null {
    if (this.complaint !== null) return this.complaint;
    for (const [page, holders] of this.held) {
      const entry = now(P2m.value.at(page));
      const foreign = entry !== INVALID_P2M_ENTRY && (entry & FOREIGN_FRAME_BIT) !== 0;
      if (holders > 0 && !foreign) return `in use: page ${page} is held and lost its frame`;
    }
    return null;
  }
}

/** A user of pages: takes the page of an address, works with it, and gives it back. */
export function* directIo(v: number, mm: number, vpn: number, slow = false): Op {
  const gup = slow ? getUserPages : getUserPagesFast;
  const got = yield* gup(v, mm, vpn, 1, FOLL_WRITE, result(v));
  if (got !== 1) return got;
  const page = readLocal(result(v));
  yield* cpuRelax();
  trace(TRACE_GUP_PUT, page, 0, 0);
  yield* putPage(v, page);
  return 1;
}

/** What is still mapped of a map: present user PTEs and handles. */
export function leftOver(map: number): number {
  let left = 0;
  for (let i = 0; i < now(GrantMap.count.at(map)); i++) {
    if ((now(now(MapUnmapOp.hostAddr.at2(map, i))) & PTE_PRESENT) !== 0) left++;
    if (now(MapUnmapOp.handle.at2(map, i)) >= 0) left++;
    if (now(MapKunmapOp.handle.at2(map, i)) >= 0) left++;
  }
  return left;
}
