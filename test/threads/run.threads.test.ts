/**
 * Goal: a free-running run steers its threads, stops the world, sees the dead and loses nothing
 * that was found.
 * Method: a counter workload on real worker threads of the built edition; one thing is broken in
 * each test, and what the run says of it is compared.
 */
import { describe, expect, test } from 'vitest';
import type { Machine } from '../../src/shared/layout.ts';
import { sleep, until } from '../../src/threads/checkpoint.ts';
import { HELD, RESTING } from '../../src/threads/control.ts';
import type { ActorView, Member } from '../../src/threads/crew.ts';
import type { RunSpec } from '../../src/threads/run.ts';
import { runFree } from '../../src/threads/run.ts';
import type { WorldOptions } from '../../src/threads/world.ts';
import { Counter, Done, Stamp } from './worlds/counter.ts';

const run = (options: WorldOptions, spec: Partial<RunSpec> = {}) =>
  runFree({
    worldModule: 'test/threads/worlds/counter-world',
    options,
    seconds: 0.6,
    seed: 1,
    ...spec,
  });

describe('a free-running run', () => {
  test('runs its time, counts its operations and finds nothing wrong', async () => {
    const result = await run({}, { seconds: 1.3 });
    expect(result.findings).toEqual([]);
    expect(result.fault).toBeNull();
    expect(result.seconds).toBeGreaterThan(1.2);
    expect(result.seconds).toBeLessThan(4);
    expect(result.checkpoints.stopped).toBeGreaterThan(0);
    expect(result.checkpoints.atRest).toBeGreaterThan(0);
    expect(result.operations['acquire_when']).toBeGreaterThan(1000);
    const unequal = (result.operations['read'] ?? 0) - (result.operations['write'] ?? 0);
    expect(Math.abs(unequal)).toBeLessThan(9);
    const sum = Object.values(result.operations).reduce((a, b) => a + b, 0);
    expect(sum).toBe(result.operationCount);
  });

  test('sees at a checkpoint at rest that a lock was left out', async () => {
    const result = await run({ broken: true }, { seconds: 1.3 });
    const sum = result.findings.find(({ invariant }) => invariant === 'sum');
    expect(sum).toMatchObject({ words: ['counter.locked'], actors: ['checkpoint'] });
  });

  test('counts every sight of a finding, from any thread', async () => {
    let machine: Machine | undefined;
    const result = await run({ stamps: true }, { onStart: (_, started) => (machine = started) });
    const sights = result.findings.reduce((total, { count }) => total + count, 0);
    const stamps = [0, 1].map((i) => machine?.words[Stamp.value.at(i)] ?? 0);
    expect(result.findings.map(({ words }) => words[0]).sort()).toEqual(['stamp[0]', 'stamp[1]']);
    expect(sights).toBe(stamps[0]! + stamps[1]!);
    expect(sights).toBeGreaterThan(1000);
  });

  test('delivers interrupts to a thread that never sleeps', async () => {
    let machine: Machine | undefined;
    await run({ broken: true }, { onStart: (_, started) => (machine = started) });
    expect(machine?.words[Done.interrupts.at(0)]).toBeGreaterThan(0);
    expect(machine?.words[Done.interrupts.at(1)]).toBeGreaterThan(0);
  });
});

describe('steering', () => {
  test('a paused actor performs nothing, a resumed one goes on, both can be seen', async () => {
    const seen: Record<string, unknown> = {};
    const steer = async (crew: readonly Member[]): Promise<void> => {
      const [first, , server] = crew as [Member, Member, Member];
      seen['inspected'] = await first.inspect();
      first.pause();
      // Before an operation, or between two iterations: wherever the request finds it.
      seen['held'] = await until(() => [HELD, RESTING].includes(first.state()), 10_000);
      const before = first.operations();
      await sleep(50);
      seen['still'] = first.operations() - before;
      seen['view'] = first.view();
      first.resume();
      seen['again'] = await until(() => first.operations() > before, 10_000);
      seen['server'] = server.view();
    };
    // The run lasts as long as the steering needs: a busy host may take its time over each step.
    const over = new AbortController();
    let steered = Promise.resolve();
    const onStart = (crew: readonly Member[]): void => {
      steered = steer(crew).finally(() => {
        over.abort();
      });
    };
    await run({}, { seconds: 60, signal: over.signal, onStart });
    await steered;
    expect(seen['inspected']).toMatchObject({ ok: true, value: { name: 'd0v0' } });
    expect(seen).toMatchObject({ held: true, still: 0, again: true });
    expect(seen['view']).toMatchObject({ name: 'd0v0', role: 'vcpu' });
    expect((seen['view'] as ActorView).state).toMatch(/^(held|resting)$/);
    expect(seen['server']).toMatchObject({ name: 'd1', role: 'domain' });
  });

  test('an abort ends a run early with what it has', async () => {
    const abort = new AbortController();
    const result = await run(
      {},
      { seconds: 30, signal: abort.signal, onStart: () => setTimeout(() => abort.abort(), 200) },
    );
    expect(result.interrupted).toBe(true);
    expect(result.seconds).toBeLessThan(2);
    expect(result.operationCount).toBeGreaterThan(0);
  });
});

describe('the watchdog', () => {
  test('names a killed actor within 2 s', async () => {
    const fault = { role: 'vcpu', number: 1, atMs: 300 } as const;
    const result = await run({}, { seconds: 20, fault });
    expect(result.fault).toMatchObject({ kind: 'killed', actors: ['d1v0'], injected: true });
    expect(result.fault?.atSeconds).toBeLessThan(2.3);
    expect(result.operationCount).toBeGreaterThan(0);
  });

  test('names a killed domain', async () => {
    const fault = { role: 'domain', number: 0, atMs: 100 } as const;
    const result = await run({}, { seconds: 20, fault });
    expect(result.fault).toMatchObject({ kind: 'killed', actors: ['d1'] });
  });

  test('names an actor that stopped performing operations', async () => {
    const result = await run({ hang: 1 }, { seconds: 20 });
    expect(result.fault).toMatchObject({ kind: 'hangs', actors: ['d0v0'], injected: false });
    expect(result.fault?.atSeconds).toBeLessThan(4);
  });

  test('names a deadlock and the word that all wait for', async () => {
    const result = await run({ hang: 2 }, { seconds: 20 });
    expect(result.fault).toMatchObject({ kind: 'deadlock', actors: ['d0v0', 'd1v0'] });
    expect(result.fault?.words).toEqual(['counter.lock', 'counter.lock']);
    expect(Counter.lock.word).toBeGreaterThan(0);
  });

  test('tells the error of an actor that threw', async () => {
    const result = await run({ throws: true }, { seconds: 20 });
    expect(result.fault).toMatchObject({ kind: 'failed', actors: ['d1v0'] });
    expect(result.fault?.error).toContain('out of words');
  });
});
