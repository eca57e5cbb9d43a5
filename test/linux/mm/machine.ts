/** A small machine with booted guests, for the tests of the memory manager. */
import { hardwareDefaults, hardwareTables, bootHardware } from '../../../src/hardware/tables.ts';
import { firstVcpuOf } from '../../../src/hardware/params.ts';
import { bootDrivers } from '../../../src/linux/drivers/tables.ts';
import { VMA_PAGES } from '../../../src/linux/designs/design.ts';
import { bootLinux } from '../../../src/linux/mm/boot.ts';
import { bootLinuxParams, linuxDefaults, linuxTables } from '../../../src/linux/tables.ts';
import type { Machine } from '../../../src/shared/layout.ts';
import { createMachine } from '../../../src/shared/layout.ts';
import { runAlone } from '../../../src/shared/operations.ts';
import type { AnyTable, Config } from '../../../src/shared/table.ts';
import { sharedDefaults, sharedTables } from '../../../src/shared/tables.ts';
import { bootXen, xenDefaults, xenTables } from '../../../src/xen/tables.ts';

const tiny = { domains: 1, vcpusPerDomain: 4, vcpus: 4, overrideBuckets: 8 };

/** Boots every domain of a machine with the given sizes in place of the defaults. */
export function bootedMachine(sizes: Config = {}, more: readonly AnyTable[] = []): Machine {
  const config = {
    ...sharedDefaults,
    ...hardwareDefaults,
    ...xenDefaults,
    ...linuxDefaults,
    ...tiny,
    design: VMA_PAGES,
    ...sizes,
  };
  const tables = [...sharedTables, ...hardwareTables, ...xenTables, ...linuxTables, ...more];
  const machine = createMachine(tables, config);
  bootHardware(config);
  bootXen(config);
  bootLinuxParams(config);
  for (let d = 0; d < config.domains; d++) {
    const v = firstVcpuOf(d);
    if (runAlone(bootLinux(v, d)) !== 0) throw new Error(`domain ${d} does not boot`);
    bootDrivers(v, d);
  }
  return machine;
}
