/**
 * What one call costs on one thread, with and without generators: the same functions of the
 * simulated kernel in the fibers and in the threads edition, in one run. Read the ratios.
 *
 *   gntrace bench structures
 */
import { Command } from 'commander';
import { Bench } from 'tinybench';
import { print } from '../../src/cli/output.ts';
import type * as AccessModule from '../../src/hardware/access.ts';
import type * as MachineModule from '../../src/actors/machine.ts';
import type * as MaptrackModule from '../../src/xen/grant-table/maptrack.ts';
import type * as OperationsModule from '../../src/shared/operations.ts';
import type * as PagingModule from '../../src/hardware/paging.ts';
import type * as ParamsModule from '../../src/hardware/params.ts';
import type * as SpinlockModule from '../../src/shared/spinlock.ts';
import type * as VcpuModule from '../../src/hardware/vcpu.ts';

const VCPU = 0;
const PFN = 20;

/** Loads a module of an edition; `dist/fibers/bench/suites` is where this file runs. */
async function load<T>(edition: string, path: string): Promise<T> {
  return (await import(new URL(`../../../${edition}/${path}.js`, import.meta.url).href)) as T;
}

/** Adds the calls of one edition; each edition has its own machine. */
async function addEdition(bench: Bench, edition: 'fibers' | 'threads'): Promise<void> {
  const at = <T>(path: string): Promise<T> => load<T>(edition, `src/${path}`);
  const { buildMachine, tinySizes } = await at<typeof MachineModule>('actors/machine');
  const { runAlone } = await at<typeof OperationsModule>('shared/operations');
  const { cpuLoad } = await at<typeof AccessModule>('hardware/access');
  const { walkToPte } = await at<typeof PagingModule>('hardware/paging');
  const { kernelBase } = await at<typeof ParamsModule>('hardware/params');
  const { Vcpu } = await at<typeof VcpuModule>('hardware/vcpu');
  const { spinLock, spinUnlock } = await at<typeof SpinlockModule>('shared/spinlock');
  const { MaptrackFreelist, getMaptrackHandle, putMaptrackHandle } = await at<
    typeof MaptrackModule
  >('xen/grant-table/maptrack');
  const { words } = buildMachine('network', tinySizes);
  const vpn = kernelBase() + PFN;
  const root = words[Vcpu.cr3.at(VCPU)] as number;
  const lock = MaptrackFreelist.lock.at(VCPU);
  bench
    .add(`${edition}: page-table walk`, () => {
      runAlone(walkToPte(VCPU, root, vpn));
    })
    .add(`${edition}: load by virtual address, TLB hit`, () => {
      runAlone(cpuLoad(VCPU, vpn, 0));
    })
    .add(`${edition}: ticket lock and unlock`, () => {
      runAlone(spinLock(lock));
      runAlone(spinUnlock(lock));
    })
    .add(`${edition}: maptrack get and put`, () => {
      const handle = runAlone(getMaptrackHandle(VCPU));
      runAlone(putMaptrackHandle(VCPU, handle));
    });
}

/** The command. */
export function structuresCommand(): Command {
  return new Command('structures')
    .description('single calls with and without generators, on one thread')
    .action(async () => {
      const bench = new Bench({ time: 500, warmupTime: 200, retainSamples: false });
      await addEdition(bench, 'fibers');
      await addEdition(bench, 'threads');
      await bench.run();
      for (const { name, result } of bench.tasks) {
        if (result.state !== 'completed') throw new Error(`${name} ended as ${result.state}`);
        const ns = (result.latency.mean * 1e6).toFixed(0).padStart(7);
        print(`${name.padEnd(44)} ${ns} ns  ± ${result.latency.rme.toFixed(1)} %`);
      }
    });
}
