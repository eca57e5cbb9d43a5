/** The built command line as child processes that say what they do in NDJSON, and are killed. */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

export const main = fileURLToPath(new URL('../../dist/fibers/src/cli/main.js', import.meta.url));

export interface Line {
  readonly t: string;
  readonly [field: string]: unknown;
}

export interface Ended {
  readonly status: number | null;
  readonly signal: string | null;
}

/** A process, and what it has said so far. */
export class Child {
  readonly lines: Line[] = [];
  stderr = '';
  readonly ended: Promise<Ended>;
  private readonly process: ChildProcess;
  private waiting: (() => void)[] = [];

  /** @param wrapper - a command that runs what follows it. */
  constructor(args: readonly string[], wrapper: readonly string[] = []) {
    const [program, ...rest] = [...wrapper, process.execPath, main, ...args];
    this.process = spawn(program as string, rest, { stdio: ['ignore', 'pipe', 'pipe'] });
    this.process.stderr?.on('data', (data: Buffer) => {
      this.stderr += data.toString();
    });
    const lines = createInterface({ input: this.process.stdout as NodeJS.ReadableStream });
    lines.on('line', (line) => {
      if (!line.endsWith('}')) return;
      this.lines.push(JSON.parse(line) as Line);
      this.wake();
    });
    this.ended = new Promise((resolve) => {
      this.process.on('close', (status, signal) => {
        resolve({ status, signal });
        this.wake();
      });
    });
  }

  private wake(): void {
    const waiting = this.waiting;
    this.waiting = [];
    for (const resume of waiting) resume();
  }

  get running(): boolean {
    return this.process.exitCode === null && this.process.signalCode === null;
  }

  count(t: string): number {
    return this.lines.filter((line) => line.t === t).length;
  }

  /** Waits until it has said so many lines of a kind, or has ended. */
  async until(t: string, many: number): Promise<void> {
    while (this.count(t) < many && this.running) {
      await new Promise<void>((resume) => this.waiting.push(resume));
    }
  }

  kill(signal: NodeJS.Signals = 'SIGKILL'): void {
    this.process.kill(signal);
  }
}

/** Runs a command to its end. @returns its one line of JSON. */
export function jsonOf(args: readonly string[]): Record<string, unknown> {
  const { stdout, stderr } = spawnSync(process.execPath, [main, ...args], { encoding: 'utf8' });
  if (stdout === '') throw new Error(stderr);
  return JSON.parse(stdout) as Record<string, unknown>;
}

interface Told {
  readonly executions: number;
  readonly steps: number;
  readonly shards: number;
  readonly failed: number;
  readonly cells: readonly Record<string, unknown>[];
  readonly findings: readonly Record<string, unknown>[];
}

/**
 * What must be the same after kills: totals, every cell, every finding. (Which findings turn out to
 * be one bug when they are small is a matter of the time that shrinking had.)
 */
export function outcomeOf(store: string): object {
  const told = jsonOf(['results', '--json', '--store', store]) as unknown as Told;
  const { executions, steps, shards, failed, cells, findings } = told;
  const ids = findings.flatMap(({ id, same }) => [id as string, ...(same as string[])]);
  return {
    totals: { executions, steps, shards, failed },
    cells: cells.map(({ milliseconds: _milliseconds, ...cell }) => cell),
    findings: ids.sort(),
    times: findings.reduce((sum, { times }) => sum + (times as number), 0),
  };
}

/** Numbers below a bound, the same for a seed. */
export function drawing(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
    return Math.floor((state / 0x80000000) * below);
  };
}

/** A port that nobody listens on. */
export function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer();
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}

/** Why there can be no Redis here; null if there can. */
export function noRedis(): string | null {
  const { error } = spawnSync('redis-server', ['--version']);
  return error === undefined ? null : 'redis-server is not installed';
}

function listeningTls(port: number, { file, key }: Certificate): string[] {
  const own = ['--tls-cert-file', file, '--tls-key-file', key, '--tls-ca-cert-file', file];
  return ['--port', '0', '--tls-port', String(port), ...own, '--tls-auth-clients', 'no'];
}

/** A certificate for this machine that nobody but itself vouches for, and its key. */
export interface Certificate {
  readonly file: string;
  readonly key: string;
}

/** Makes one in a folder. @throws what openssl says. */
export function selfSigned(dir: string): Certificate {
  const certificate = { file: join(dir, 'cert.pem'), key: join(dir, 'key.pem') };
  const kind = '-x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2'.split(' ');
  const names = ['-subj', '/CN=gntrace', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'];
  const files = ['-keyout', certificate.key, '-out', certificate.file];
  execFileSync('openssl', ['req', ...kind, ...names, ...files], { stdio: 'pipe' });
  return certificate;
}

/** Why there can be no Redis that speaks TLS; null if there can. */
export function noTls(): string | null {
  const { error } = spawnSync('openssl', ['version']);
  return noRedis() ?? (error === undefined ? null : 'openssl is not installed');
}

/** A Redis of one's own, in a folder of one's own, that keeps nothing over a kill. */
export class Redis {
  readonly url: string;
  private readonly args: readonly string[];
  private process: ChildProcess;

  /** @param certificate - speaks TLS, and nothing else. */
  constructor(port: number, dir: string, password = '', certificate?: Certificate) {
    const secure = certificate === undefined ? '' : 's';
    this.url = `redis${secure}://${password === '' ? '' : `:${password}@`}127.0.0.1:${port}`;
    const usual = '--bind 127.0.0.1 --appendonly no'.split(' ');
    const secret = password === '' ? [] : ['--requirepass', password];
    const listening = ['--port', String(port)];
    const at = certificate === undefined ? listening : listeningTls(port, certificate);
    this.args = [...at, ...usual, '--dir', dir, '--save', '', ...secret];
    this.process = this.start();
  }

  private start(): ChildProcess {
    return spawn('redis-server', this.args, { stdio: 'ignore' });
  }

  /** SIGKILL, and another one with nothing in it. */
  async killAndStart(): Promise<void> {
    await this.stop();
    this.process = this.start();
  }

  stop(): Promise<void> {
    return new Promise((resolve) => {
      if (this.process.exitCode !== null || this.process.signalCode !== null) resolve();
      this.process.on('close', () => resolve());
      this.process.kill('SIGKILL');
    });
  }
}
