/**
 * The machine that recordings are played on: domain 0 with two vCPUs for the test processes and
 * one for its kernel threads, and domain 1, which grants where a recording's granter is a domU.
 * Limits are those of life, and a frame keeps a word for every byte: so contents are compared byte
 * by byte, and a byte that the recording does not tell can be carried as a symbol (symbols.ts).
 */
import { takeAllOffline, bootDomains } from '../actors/boot.ts';
import { machineConfig, machineTables, realSizes } from '../actors/machine.ts';
import { bootHardware } from '../hardware/tables.ts';
import { tlbFlushLocal } from '../hardware/tlb.ts';
import { Vcpu } from '../hardware/vcpu.ts';
import { DESIGN_NAMES } from '../linux/designs/design.ts';
import { bootLinuxParams } from '../linux/tables.ts';
import type { Machine } from '../shared/layout.ts';
import { createMachine } from '../shared/layout.ts';
import { snapshot } from '../shared/memory.ts';
import { runAlone, writeLocal } from '../shared/operations.ts';
import type { Config } from '../shared/table.ts';
import { defineTable } from '../shared/table.ts';
import { bootXen } from '../xen/tables.ts';

/** The domain of the test processes, and the one that grants to it. */
export const TEST_DOMAIN = 0;
export const GRANTING_DOMAIN = 1;
/** vCPUs of each domain; the last is its kernel threads'. */
export const VCPUS = 3;
/** Bytes of a page, and words that a frame keeps. */
export const PAGE_BYTES = 4096;

/** Memory of the test programs for the arguments of their calls (and of Xen's, for privcmd). */
export const Argument = defineTable('argument[%]', ['arguments'], { value: '[GST] anything' });

const sizes: Config = {
  ...realSizes,
  vcpusPerDomain: VCPUS,
  pagesPerDomain: 1664,
  frames: 3520,
  frameWords: PAGE_BYTES,
  gnttabInitialFrames: 1,
  /** The recordings are of Debian's Xen, which is a release build. */
  debug: 0,
  mapPages: 256,
  netbackSlots: 1,
  netSlots: 1,
  ringSlots: 1,
  segments: 1,
  grefs: 1088,
  grefWords: 34,
  gntallocs: 16,
  gntallocVmas: 32,
  gntdevSlots: 128,
  evtchnUsers: 4,
  evtchnRing: 64,
  deferredEntries: 1088,
  deferredBitmapWords: 34,
  vmas: 128,
  vmaSlots: 48,
  vmaNodes: 512,
  arguments: 4096,
  files: 32,
  filesStructs: 8,
  fds: 64,
  fdWords: 2,
  tasks: 8,
  diskPages: 16,
  inodePages: 16,
};

/** A booted machine and its memory at rest, before any case. */
export interface Stand {
  readonly machine: Machine;
  readonly atRest: Int32Array;
}

/** @param design - name of a design. @returns a machine with nothing running on it. */
export function bootStand(design: string): Stand {
  const config = machineConfig({ ...sizes, design: DESIGN_NAMES.indexOf(design) });
  const machine = createMachine([...machineTables, Argument], config);
  bootHardware(config);
  takeAllOffline(config);
  bootXen(config);
  bootLinuxParams(config);
  bootDomains(config);
  for (let v = 0; v < 2 * VCPUS; v++) {
    runAlone(tlbFlushLocal(v));
    writeLocal(Vcpu.online.at(v), 1);
  }
  return { machine, atRest: snapshot() };
}
