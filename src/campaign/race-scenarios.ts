/**
 * The corpus as scenarios: each race on a tiny machine of each design, watched by the oracle.
 */
import { kernelVcpuOf } from '../hardware/params.ts';
import { bootHardware } from '../hardware/tables.ts';
import { physicalActor, upcallActor } from '../hardware/irq.ts';
import { Vcpu } from '../hardware/vcpu.ts';
import { bootDomains } from '../actors/boot.ts';
import { machineConfig, machineTables, tinySizes } from '../actors/machine.ts';
import { PROGRAM_KERNEL_THREAD, runProgram } from '../actors/programs/program.ts';
import { corpusDefaults, corpusTables } from '../corpus/process.ts';
import type { Race } from '../corpus/race.ts';
import { races } from '../corpus/races.ts';
import type { Actor } from '../explore/actor.ts';
import type { PreparedScenario, Scenario } from '../explore/scenario.ts';
import { DESIGN_NAMES } from '../linux/designs/design.ts';
import { bootLinuxParams } from '../linux/tables.ts';
import { createOracle } from '../oracle/oracle.ts';
import { oracleDefaults, oracleTables } from '../oracle/shadow.ts';
import { SoloEngine } from '../shared/engine.ts';
import type { Config } from '../shared/table.ts';
import { createMachine, vcpuName } from '../shared/layout.ts';
import { runAlone, writeLocal } from '../shared/operations.ts';
import { bootXen } from '../xen/tables.ts';
import { FindingSlot } from './finding-slot.ts';

/** An actor of an exploration and the vCPU it belongs to. */
interface Placed {
  readonly actor: Actor;
  readonly vcpu: number;
}

/** The sides of the race, the kernel threads, and the interrupts of every vCPU among them. */
function placeActors(race: Race, config: Config): Placed[] {
  const perDomain = config['vcpusPerDomain'] ?? 1;
  const nameOf = (vcpu: number): string => vcpuName(vcpu, perDomain);
  const placed: Placed[] = race.actors.map(({ role, vcpu, body }) => ({
    actor: { name: `${nameOf(vcpu)} ${role}`, body },
    vcpu,
  }));
  for (const d of race.kernelThreads) {
    const vcpu = kernelVcpuOf(d);
    const body = () => runProgram(PROGRAM_KERNEL_THREAD, vcpu, -1);
    placed.push({ actor: { name: `${nameOf(vcpu)} kernel thread`, body, daemon: true }, vcpu });
  }
  const tasks = placed.slice();
  tasks.forEach(({ vcpu }, i) => {
    const interrupt = (name: string, word: number, body: Actor['body']): void => {
      const actor = { name: `${nameOf(vcpu)} ${name}`, body, daemon: true };
      placed.push({ actor: { ...actor, interrupts: { actor: i, word } }, vcpu });
    };
    interrupt('upcall', Vcpu.upcall.at(vcpu), () => upcallActor(vcpu));
    interrupt('physical interrupt', Vcpu.physical.at(vcpu), () => physicalActor(vcpu));
  });
  return placed;
}

/** Only vCPUs that somebody runs on take part in TLB flushes. */
function bringOnline(placed: readonly Placed[], vcpus: number): void {
  for (let v = 0; v < vcpus; v++) {
    const used = placed.some(({ vcpu }) => vcpu === v);
    writeLocal(Vcpu.online.at(v), used ? 1 : 0);
  }
}

function prepare(race: Race, design: string): PreparedScenario {
  const config = machineConfig({
    ...tinySizes,
    ...corpusDefaults,
    ...oracleDefaults,
    ...race.sizes,
    design: DESIGN_NAMES.indexOf(design),
  });
  const machine = createMachine([...machineTables, ...corpusTables, ...oracleTables], config);
  bootHardware(config);
  bootXen(config);
  bootLinuxParams(config);
  bootDomains(config);
  const placed = placeActors(race, config);
  const perDomain = config['vcpusPerDomain'] ?? 1;
  const slot = new FindingSlot(machine);
  const owners = placed.map(({ vcpu }) => ({
    domid: Math.floor(vcpu / perDomain),
    device: false,
  }));
  const observer = createOracle(machine, owners, slot.report);
  // Nobody answers a flush while the machine is arranged, and nobody's TLB holds anything yet.
  bringOnline([], config['vcpus'] ?? 0);
  runAlone(race.arrange(), new SoloEngine(observer, machine.watchedFrom));
  bringOnline(placed, config['vcpus'] ?? 0);
  return {
    machine,
    actors: placed.map(({ actor }) => actor),
    observer,
    setup: () => slot.clear(),
    invariant: () => slot.get(),
    final: () => slot.get(),
  };
}

/** Every race of the corpus as a scenario. */
export const raceScenarios: readonly Scenario[] = races.map((race) => ({
  name: race.name,
  about: race.about,
  designs: race.designs,
  prepare: ({ design }) => prepare(race, design),
}));
