/**
 * Goal: a workload names its actors and what each runs, whatever the sizes.
 * Method: small and large configurations, compared with what the head comment promises.
 */
import { describe, expect, test } from 'vitest';
import { fewestDomains } from '../../src/actors/guest-network.ts';
import { machineConfig, realSizes, tinySizes } from '../../src/actors/machine.ts';
import {
  PROGRAM_BLKBACK,
  PROGRAM_BLKFRONT,
  PROGRAM_TOOLSTACK,
  PROGRAM_USER_BACKEND,
} from '../../src/actors/programs/program.ts';
import { workloadActors, workloads } from '../../src/actors/workload.ts';

const names = (workload: string, sizes: object): string[] =>
  workloadActors(workload, machineConfig({ ...realSizes, ...sizes })).map(({ name }) => name);

describe('workloads', () => {
  test('block: frontends, backends, network stack, kernel threads, card and disk', () => {
    expect(names('block', {})).toEqual([
      'd1v0',
      'd1v1',
      'd0v0',
      'd0v1',
      'd0v2',
      'd0v3',
      'd1v3',
      'nic',
      'disk',
    ]);
  });

  test('a machine has only the devices that somebody uses', () => {
    expect(names('toolstack', { vcpusPerDomain: 3 })).toEqual(['d1v0', 'd0v0', 'd0v2', 'd1v2']);
    expect(names('network', {})).not.toContain('disk');
  });

  test('every worker of every domain has its counterpart in domain 0', () => {
    const config = machineConfig({ ...tinySizes, domains: 4, vcpusPerDomain: 5 });
    const programs = workloadActors('mixed', config).map(({ program }) => program);
    const count = (program: number): number => programs.filter((p) => p === program).length;
    expect(count(PROGRAM_BLKFRONT)).toBe(9);
    expect(count(PROGRAM_BLKBACK)).toBe(1);
    expect(count(PROGRAM_USER_BACKEND)).toBe(1);
    expect(count(PROGRAM_TOOLSTACK)).toBe(1);
  });

  test('those who ask for work come first and rest first', () => {
    for (const workload of workloads.keys()) {
      const domains = fewestDomains(workload);
      const config = machineConfig({ ...realSizes, domains });
      const order = workloadActors(workload, config).map(({ restsAs }) => restsAs);
      expect(order).toEqual([...order].sort((a, b) => a - b));
    }
  });

  test('samehost: frontends, blkback, netback and the storage guest', () => {
    const sizes = { domains: 4, vcpusPerDomain: 5 };
    expect(names('samehost', sizes)).toEqual([
      'd1v0',
      'd1v1',
      'd2v0',
      'd2v1',
      'd0v0',
      'd0v1',
      'd0v3',
      'd3v0',
      'd0v2',
      'd0v4',
      'd1v4',
      'd2v4',
      'd3v4',
    ]);
  });

  test('vif: senders, netback and the reader', () => {
    const first = ['d1v0', 'd1v1', 'd0v0', 'd0v2', 'd2v0', 'd0v1'];
    expect(names('vif', { domains: 3 }).slice(0, 6)).toEqual(first);
  });

  test.each([
    [{ domains: 2 }, 'needs at least 3 domains, not 2'],
    [{ domains: 3, vcpusPerDomain: 3 }, 'needs 2 vCPUs that run programs; each domain has 1'],
  ])('guests of one host need room: %o', (sizes, line) => {
    expect(() => names('samehost', sizes)).toThrow(line);
  });

  test('an unknown workload is refused', () => {
    expect(() => workloadActors('nothing', machineConfig(tinySizes))).toThrow(
      'no workload nothing',
    );
  });
});
