/**
 * Goal: `gntrace stress` ends with the right status and says one clear thing, whatever it is asked.
 * Method: the built command line as a child process; the Xen machine with one vCPU a domain.
 */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

const main = fileURLToPath(new URL('../../dist/fibers/src/cli/main.js', import.meta.url));

interface Ended {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** @param interruptOn - sends SIGINT once stdout contains it. */
function gntrace(args: readonly string[], interruptOn?: string): Promise<Ended> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [main, ...args]);
    let stdout = '';
    let stderr = '';
    let interrupted = false;
    child.stdout.on('data', (data: Buffer) => {
      stdout += data.toString();
      if (interruptOn === undefined || interrupted || !stdout.includes(interruptOn)) return;
      interrupted = true;
      setTimeout(() => child.kill('SIGINT'), 1500);
    });
    child.stderr.on('data', (data: Buffer) => {
      stderr += data.toString();
    });
    child.on('close', (status) => resolve({ status, stdout, stderr }));
  });
}

const small = ['stress', '--vcpus', '1', '--seed', '7'];

describe('wrong use', () => {
  test.each([
    [['stress', '--design', 'vma-pags'], 'did you mean vma-pages?'],
    [['stress'], '--design'],
    [['stres'], 'stress'],
    [['stress', '--design', 'vma-pages', '--sedes', '1'], '--seed'],
    [['stress', '--design', 'vma-pages', '--vcpus', '0'], '--vcpus'],
    [['stress', '--design', 'vma-pages', '--vcpus', '40'], 'at most 32'],
    [['stress', '--design', 'vma-pages', '--seed', 'x1'], '--seed'],
    [['stress', '--design', 'vma-pages', '--seconds', '0'], '--seconds'],
    [['stress', '--design', 'vma-pages', '--frames', '900000000000'], 'the machine needs'],
    [['stress', '--design', 'vma-pages', '--fault', 'kill'], 'kill-vcpu@2s'],
    [['stress', '--design', 'vma-pages', '--without', 'dma'], 'late-dma'],
    [['stress', '--design', 'vma-pages', '--workload', 'blok'], 'block'],
  ])('%j is one line on stderr and status 2', async (args, hint) => {
    const { status, stdout, stderr } = await gntrace(args);
    expect(status).toBe(2);
    expect(stdout).toBe('');
    expect(stderr.trim().split('\n')).toHaveLength(1);
    expect(stderr).toContain(hint);
  });
});

describe('stress', () => {
  test('prints one JSON object, and finds what breaks m2p-override', async () => {
    const args = [...small, '--design', 'm2p-override', '--workload', 'direct', '--json'];
    const { status, stdout, stderr } = await gntrace([...args, '--seconds', '4']);
    const result = JSON.parse(stdout) as Record<string, unknown>;
    expect(stderr).toBe('');
    expect(result).toMatchObject({
      design: 'm2p-override',
      workload: 'direct',
      seed: '0x0000000000000007',
      fault: null,
      exit: 1,
    });
    expect(result['operationsPerSecond']).toBeGreaterThan(0);
    expect(result['findings']).toEqual(
      expect.arrayContaining([expect.objectContaining({ invariant: 'I8', actors: ['d0v0'] })]),
    );
    expect(status).toBe(1);
  });

  test('finds nothing in vma-pages, and names an actor that it was told to kill', async () => {
    const args = [...small, '--design', 'vma-pages', '--seconds', '30', '--json'];
    const { status, stdout } = await gntrace([...args, '--fault', 'kill-vcpu@1s']);
    const result = JSON.parse(stdout) as { fault: { atSeconds: number }; findings: unknown[] };
    expect(result.fault).toMatchObject({ kind: 'killed', actors: ['d1v0'], injected: true });
    expect(result.fault.atSeconds).toBeLessThan(3);
    expect(result.findings).toEqual([]);
    expect(status).toBe(0);
  });

  test('SIGINT ends a run with a summary', async () => {
    const args = [...small, '--design', 'vma-pages', '--seconds', '60'];
    const { status, stdout, stderr } = await gntrace(args, 'seed 0x');
    expect(status).toBe(130);
    expect(stdout).toContain('partial results');
    expect(stdout).toContain('operations in');
    expect(stderr).toBe('');
  });
});
