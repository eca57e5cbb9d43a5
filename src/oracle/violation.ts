/**
 * What can be found: every way in which an invariant breaks has a number, so that a finding fits
 * into a few words of shared memory on its way from a worker thread to whoever reports it.
 */
import * as hardwareBugs from '../hardware/bugs.ts';
import * as driverBugs from '../linux/drivers/bugs.ts';
import * as fsBugs from '../linux/fs/bugs.ts';
import * as mmBugs from '../linux/mm/bugs.ts';
import * as sharedBugs from '../shared/bugs.ts';
import type { Machine } from '../shared/layout.ts';
import { wordName } from '../shared/layout.ts';
import * as xenBugs from '../xen/bugs.ts';

/** One way in which an invariant breaks. */
export interface Violation {
  /** The invariant (docs/invariants.md). */
  readonly invariant: string;
  /** What happened, in one clause. */
  readonly what: string;
  /** What it means for the people who run such a machine. */
  readonly meaning: string;
}

export const ACCESS_WITHOUT_RIGHT = 1;
export const REVOKED_WHILE_PINNED = 2;
export const STALE_TRANSLATION = 3;
export const GUP_WRONG_PAGE = 4;
export const UNMAPPED_IN_USE = 5;
export const PIN_MISCOUNT = 6;
export const FRAME_REFERENCE = 7;
export const HANDLE_PLACE = 8;
export const IOMMU_MISMATCH = 9;
export const VMA_SLICE = 10;
export const LIVE_GRANTS = 11;
export const P2M_MISMATCH = 12;
export const FRAMES_LOST = 13;
export const GRANT_PTE_OVERWRITTEN = 14;
export const USED_AFTER_FREE = 19;
export const NOTIFIER_LIST = 20;
export const FREED_WHILE_MAPPED = 38;
/** A kernel assertion fired: its own number (each room's bugs.ts) is added. */
export const KERNEL_ASSERTION = 0x10000;
export const PAYLOAD_CORRUPT = 16;
export const FREED_WHILE_GRANTED = 17;
export const WRITABLE_TRANSLATION = 18;
export const COPY_UNREFERENCED = 21;
export const STATUS_FRAME_GONE = 24;
export const STALE_CPU_DATA = 32;
export const STALE_DEVICE_DATA = 33;
export const DMA_WRONG_PAGE = 34;
export const DMA_WRONG_FRAME = 35;
export const DMA_AFTER_UNMAP = 36;
export const STALE_AFTER_NONE = 37;

const list: readonly (readonly [number, string, string, string])[] = [
  [
    STATUS_FRAME_GONE,
    'I15',
    'the status word of a grant was used although its frame is not allocated',
    'memory that belongs to somebody else by now is read or changed',
  ],
  [
    ACCESS_WITHOUT_RIGHT,
    'I5',
    'a frame was accessed by a domain that neither owns it nor holds a grant on it',
    'somebody else’s memory was read or written: data leaks or is corrupted',
  ],
  [
    REVOKED_WHILE_PINNED,
    'I4',
    'ending access to a grant succeeded while the grantee still holds it',
    'the granter reuses a frame that another domain can still reach',
  ],
  [
    STALE_TRANSLATION,
    'I7',
    'the last pin on a frame was dropped while a TLB still translates to it',
    'a vCPU keeps reaching a frame after its unmap was reported as done',
  ],
  [
    GUP_WRONG_PAGE,
    'I8',
    'get_user_pages returned another page than the one mapped at the address',
    'references are taken on the wrong page: the right one can go while in use',
  ],
  [
    UNMAPPED_IN_USE,
    'I8',
    'a foreign page was unmapped while somebody still held a reference to it',
    'I/O in flight reads or writes a vanished mapping, or the granter’s new data',
  ],
  [
    PIN_MISCOUNT,
    'I1',
    'the pins of a grant differ from its live mappings',
    'a grant can never be revoked, or is revoked under a mapping',
  ],
  [
    FRAME_REFERENCE,
    'I2',
    'a frame is free although something still refers to it',
    'the next owner of the frame shares it with the last one',
  ],
  [
    HANDLE_PLACE,
    'I3',
    'a maptrack handle is not in exactly one place',
    'one handle is given out twice, or handles run out',
  ],
  [
    IOMMU_MISMATCH,
    'I6',
    'an IOMMU entry differs from the mappings that call for it',
    'a device faults, or reaches memory that is no longer granted',
  ],
  [
    VMA_SLICE,
    'I10',
    'a VMA’s slice of the page array does not fit its addresses',
    'after a split, pages of the wrong grants are found or unmapped',
  ],
  [
    LIVE_GRANTS,
    'I11',
    'the grants that a driver counts as live differ from the handles it holds',
    'handles leak, and the granter waits for ever for its frame',
  ],
  [
    P2M_MISMATCH,
    'I12',
    'the P2M of a page disagrees with its kernel mapping',
    'the kernel translates a page to a frame that it no longer has',
  ],
  [
    FRAMES_LOST,
    'I17',
    'frames or grants are not conserved',
    'memory leaks until the machine runs out of it',
  ],
  [
    GRANT_PTE_OVERWRITTEN,
    'I9',
    'a present grant PTE was overwritten by something else than its unmap',
    'the grant stays active for ever; a debug hypervisor kills the guest',
  ],
  [
    PAYLOAD_CORRUPT,
    'I5',
    'the payload of a request is not what its sender wrote',
    'a guest’s data is corrupted on its way to or from the disk',
  ],
  [
    FREED_WHILE_GRANTED,
    'I4',
    'a page was freed while another domain still holds a grant on its frame',
    'the next user of the page shares it with the grantee',
  ],
  [
    WRITABLE_TRANSLATION,
    'I7',
    'a frame became a page table while a TLB still lets a guest write it',
    'the guest makes itself mappings that Xen never checked: it has the whole machine',
  ],
  [
    USED_AFTER_FREE,
    'I13',
    'an object was used after it was freed',
    'the memory may belong to something else by then, which is corrupted or misread',
  ],
  [
    NOTIFIER_LIST,
    'I13',
    'a list of MMU notifiers holds one that is free, or one twice',
    'the next change of page tables runs into memory of somebody else, or for ever',
  ],
  [
    COPY_UNREFERENCED,
    'I2',
    'a grant copy reached a frame without the reference, or wrote one without the type',
    'the hypervisor writes for a guest where the guest itself may not: into page tables',
  ],
  [
    STALE_CPU_DATA,
    'I16',
    'after a DMA unmap a CPU read something else than what was stored last',
    'the guest takes what its cache or memory held before for what the device delivered',
  ],
  [
    STALE_AFTER_NONE,
    'I16',
    'a DMA unmap found no page behind the bus address (none), and a CPU read stale data',
    'the kernel could not maintain the cache: the guest does not see what the device delivered',
  ],
  [
    STALE_DEVICE_DATA,
    'I16',
    'a device read something else than what was stored before the buffer was mapped for it',
    'what goes to disk or network is not what the guest wrote',
  ],
  [
    DMA_WRONG_PAGE,
    'I8',
    'a DMA unmap found another page behind the bus address than one mapped for DMA there (wrong)',
    'cache lines and references of a page that has nothing to do with it are touched',
  ],
  [
    DMA_WRONG_FRAME,
    'I12',
    'a page was mapped for DMA at a frame that is not the one behind its kernel address',
    'the device reads and writes a frame that the guest does not mean',
  ],
  [
    DMA_AFTER_UNMAP,
    'I5',
    'a device accessed a frame after its DMA mapping was torn down',
    'a late access reads or corrupts whatever the frame is used for by then',
  ],
  [
    FREED_WHILE_MAPPED,
    'I7',
    'a page was freed while a TLB still translates an address of a process to it',
    'the process reads and writes what the next user of the page has there',
  ],
];

const violations: ReadonlyMap<number, Violation> = new Map(
  list.map(([violation, invariant, what, meaning]) => [violation, { invariant, what, meaning }]),
);

/** Names of the kernel's assertions by number. */
const assertions: ReadonlyMap<number, string> = new Map(
  [sharedBugs, hardwareBugs, xenBugs, mmBugs, driverBugs, fsBugs].flatMap((bugs) =>
    Object.entries(bugs).map(([name, id]): [number, string] => [id, name]),
  ),
);

/** What a violation is. @param violation - number of a finding. */
export function explain(violation: number): Violation {
  const known = violations.get(violation);
  if (known !== undefined) return known;
  const id = violation - KERNEL_ASSERTION;
  const name = assertions.get(id) ?? `0x${id.toString(16)}`;
  return {
    invariant: 'kernel',
    what: `the kernel's own assertion ${name} fired`,
    meaning: 'the kernel itself saw a state that it holds to be impossible',
  };
}

/** The violation that a message tells of. @param message - `I8: what happened (words)`. */
export function violationSaid(message: string): Violation | undefined {
  const said = message.slice(message.indexOf(': ') + 2);
  if (message.startsWith('kernel: ')) return explain(KERNEL_ASSERTION);
  return [...violations.values()].find(({ what }) => said.startsWith(what));
}

/** A broken invariant: who broke it and the words that show it. */
export interface Finding {
  /** Index of the actor in the run, -1 when found at a checkpoint. */
  readonly actor: number;
  /** A number that `explain` knows. */
  readonly violation: number;
  /** Up to two word indices; 0 stands for none. */
  readonly wordA: number;
  readonly wordB: number;
}

/** Takes findings as they are made. */
export type Report = (actor: number, violation: number, wordA: number, wordB: number) => void;

/** The names of the words that a finding points at. */
export function findingWords(machine: Machine, finding: Finding): string[] {
  return [finding.wordA, finding.wordB]
    .filter((word) => word > 0)
    .map((word) => wordName(machine, word));
}
