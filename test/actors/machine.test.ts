/**
 * Goal: machines of every sensible size boot, with every frame and vCPU in its place; the others
 * are refused with one line.
 * Method: the kept sizes and variations of them; tables are read after the boot.
 */
import { describe, expect, test } from 'vitest';
import { Channel } from '../../src/actors/channel.ts';
import { buildMachine, machineConfig, realSizes, tinySizes } from '../../src/actors/machine.ts';
import { Task } from '../../src/actors/task.ts';
import { Device } from '../../src/hardware/iommu.ts';
import { Tlb } from '../../src/hardware/tlb.ts';
import { Vcpu } from '../../src/hardware/vcpu.ts';
import { M2P_OVERRIDE, VMA_PAGES } from '../../src/linux/designs/design.ts';
import { checkFrames } from '../../src/oracle/invariants/frames.ts';
import { checkHandles } from '../../src/oracle/invariants/handles.ts';
import { checkPins } from '../../src/oracle/invariants/pins.ts';
import { oracleDefaults, oracleTables } from '../../src/oracle/shadow.ts';
import { mem } from '../../src/shared/memory.ts';

const online = (count: number): number[] =>
  Array.from({ length: count }, (_, v) => mem[Vcpu.online.at(v)] as number);

describe('machine', () => {
  test.each([
    { design: VMA_PAGES, iommu: 0 },
    { design: M2P_OVERRIDE, iommu: 0 },
    { design: VMA_PAGES, iommu: 1 },
  ])('a tiny machine boots with all invariants in force: %o', (sizes) => {
    buildMachine('direct', { ...tinySizes, ...oracleDefaults, ...sizes }, oracleTables);
    const found: number[] = [];
    const report = (_actor: number, violation: number): void => {
      found.push(violation);
    };
    checkHandles(true, report);
    checkPins(report);
    checkFrames(report);
    expect(found).toEqual([]);
  });

  test('only the vCPUs and devices that act are online, with empty TLBs', () => {
    buildMachine('network', { ...tinySizes, design: VMA_PAGES });
    expect(online(6)).toEqual([1, 1, 1, 1, 0, 1]);
    expect([mem[Device.online.at(0)], mem[Device.online.at(1)]]).toEqual([1, 0]);
    const tags = Array.from({ length: 8 }, (_, slot) => mem[Tlb.tag.at2(0, slot)]);
    expect(tags.every((tag) => tag === 0)).toBe(true);
  });

  test('a channel joins a frontend and its backend by a pair of ports', () => {
    buildMachine('block', { ...tinySizes, domains: 3, frames: 120, ptFrames: 40, design: 2 });
    expect(mem[Channel.front.at(1)]).toBe(6);
    expect(mem[Channel.back.at(1)]).toBe(0);
    expect(mem[Task.portMask.at(0)]).toBe(
      (1 << (mem[Channel.backPort.at(0)] as number)) |
        (1 << (mem[Channel.backPort.at(1)] as number)),
    );
  });

  test.each([
    { domains: 2, vcpusPerDomain: 4 },
    { domains: 4, vcpusPerDomain: 4, frames: 16384 },
  ])('a machine with the limits of life boots: %o', (sizes) => {
    buildMachine('mixed', { ...realSizes, ...sizes, design: VMA_PAGES });
    expect(online(4)).toEqual([1, 1, 1, 1]);
  });

  test.each([
    [{ domains: 1 }, 'at least 2 domains'],
    [{ vcpusPerDomain: 2 }, 'at least 3 vCPUs'],
    [{ ringSlots: 3 }, 'power of two'],
    [{ segments: 99 }, 'segments must not exceed'],
    [{ domains: 16, vcpusPerDomain: 5 }, 'at most 31 frontends'],
    [{ vcpusPerDomain: 17 }, 'at most 32 vCPUs'],
    [{ frames: 40 }, 'too few frames'],
    [{ mms: 1, vcpusPerDomain: 4 }, 'too few address spaces'],
  ])('sizes that cannot be are refused: %o', (sizes, line) => {
    const wrong = { ...tinySizes, design: VMA_PAGES, ...sizes };
    expect(() => buildMachine('direct', wrong)).toThrow(line as string);
  });

  test('sizes that follow from others fit them', () => {
    const config = machineConfig({ ...tinySizes, ringSlots: 4, segments: 3 });
    expect(config['requests']).toBe(4);
    expect(config['sectors']).toBe(12);
    expect(config['queueSlots']).toBe(8);
  });
});
