/**
 * Two vCPUs of one process: one unmaps grants while the other has one of their pages, which it
 * gives back when the unmap has found it in use. So every unmap is deferred, and waits no longer
 * than it takes to call the other one. Bench.hold goes round:
 *
 *   IDLE → ASKED   the unmapper has mapped the grants and waits      askHolder()
 *   → HELD         the holder has the page                           holdPage()
 *   → BUSY         the unmap found a page in use (TRACE_UNMAP_BUSY)  callBack()
 *   → IDLE         the holder gave the page back                     holdPage()
 *
 * From IDLE the main thread ends it by DISMISSED, when the unmapper asks no more.
 */
import { FOLL_WRITE, getUserPages, gupPut } from '../../src/linux/mm/gup.ts';
import { CurrentMm } from '../../src/linux/mm/mm-life.ts';
import type { Op } from '../../src/shared/op.ts';
import {
  awaitEqual,
  awaitNotEqual,
  cmpxchg,
  readLocal,
  storeRelease,
} from '../../src/shared/operations.ts';
import { Bench, BenchArgument } from '../tables.ts';

const IDLE = 0;
const ASKED = 1;
const HELD = 2;
const BUSY = 3;
export const DISMISSED = 4;

/** The unmapper waits until the holder has its page. */
export function* askHolder(): Op<void> {
  yield* storeRelease(Bench.hold.word, ASKED);
  yield* awaitEqual(Bench.hold.word, ~0, HELD);
}

/** The unmap found a page in use. */
export function* callBack(): Op<void> {
  yield* cmpxchg(Bench.hold.word, HELD, BUSY);
}

/**
 * The unmap is over.
 * @returns 0 once the holder is idle; -1 if the unmap did not wait for the page.
 */
export function* leaveHolder(): Op {
  const before = yield* cmpxchg(Bench.hold.word, HELD, BUSY);
  yield* awaitEqual(Bench.hold.word, ~0, IDLE);
  return before === HELD ? -1 : 0;
}

/**
 * Takes the page of an address when it is asked to, and gives it back when it is called.
 * @param v - the holder. @param vpn - the address.
 * @returns 1; negative if the page could not be had; 0 once it is dismissed.
 */
export function* holdPage(v: number, vpn: number): Op {
  if ((yield* awaitNotEqual(Bench.hold.word, ~0, IDLE)) === DISMISSED) return 0;
  const out = BenchArgument.value.at2(v, 0);
  const mm = readLocal(CurrentMm.value.at(v));
  const got = yield* getUserPages(v, mm, vpn, 1, FOLL_WRITE, out);
  yield* storeRelease(Bench.hold.word, HELD);
  yield* awaitEqual(Bench.hold.word, ~0, BUSY);
  if (got === 1) yield* gupPut(v, readLocal(out), FOLL_WRITE);
  yield* storeRelease(Bench.hold.word, IDLE);
  return got === 0 ? -1 : got;
}
