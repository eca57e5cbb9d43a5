/**
 * Campaigns as processes: `npm run bench:campaign`.
 *
 *   queue   a plan by a local pool of two threads, and by two workers of one thread each that take
 *           it from a Redis of our own; interleaved: the ratio within this run, the queue's share
 *   long    ten million executions in one campaign: memory of the process as it goes, size of the
 *           store, time of a listing
 *
 * `npm run bench:campaign -- queue 3` repeats three times; `-- long 1000000` runs fewer executions.
 */
import type { ChildProcess } from 'node:child_process';
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const main = fileURLToPath(new URL('../src/cli/main.js', import.meta.url));
const dir = mkdtempSync(join(tmpdir(), 'gntrace-bench-'));
const LISTINGS = 20;

interface Line {
  readonly t: string;
  readonly executions?: number;
  readonly queue?: { readonly share: number; readonly jobs: number };
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

function start(args: readonly string[]): ChildProcess {
  return spawn(process.execPath, [main, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
}

/** Runs a campaign. @returns executions a second from its start to its end, and its last line. */
async function throughput(
  args: readonly string[],
  onLine: (line: Line, child: ChildProcess) => void = () => {},
): Promise<{ perSecond: number; seconds: number; last: Line }> {
  const child = start(['campaign', ...args, '--json']);
  let last: Line = { t: '' };
  let from = 0;
  const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream });
  lines.on('line', (text) => {
    last = JSON.parse(text) as Line;
    if (last.t === 'campaign.start') from = performance.now();
    onLine(last, child);
  });
  await new Promise((resolve) => lines.on('close', resolve));
  const seconds = (performance.now() - from) / 1000;
  return { perSecond: (last.executions ?? 0) / seconds, seconds, last };
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer();
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}

const QUEUED = [
  '--scenarios',
  'program/readers,program/big0,program/mcs-lock,program/treiber-stack',
  '--strategies',
  'random,pct',
  '--executions',
  '400000',
];

async function measureQueue(repetitions: number): Promise<void> {
  if (spawnSync('redis-server', ['--version']).error !== undefined) {
    print('queue: skipped, redis-server is not installed');
    return;
  }
  const port = await freePort();
  const plain = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'];
  const redis = spawn('redis-server', [...plain, '--dir', dir], { stdio: 'ignore' });
  const queue = ['--queue', `redis://127.0.0.1:${port}`];
  const workers = [1, 2].map(() => start(['worker', ...queue, '--workers', '1', '--json']));
  await sleep(5000);
  let best = 0;
  for (let i = 0; i < repetitions; i++) {
    const local = await throughput([
      ...QUEUED,
      '--workers',
      '2',
      '--store',
      join(dir, `local${i}`),
    ]);
    const queued = await throughput([...QUEUED, ...queue, '--store', join(dir, `queued${i}`)]);
    const ratio = queued.perSecond / local.perSecond;
    best = Math.max(best, ratio);
    const { share = 0, jobs = 0 } = queued.last.queue ?? {};
    print(
      `queue: pool of two ${local.perSecond.toFixed(0)}/s, two workers ` +
        `${queued.perSecond.toFixed(0)}/s, ratio ${ratio.toFixed(3)}; ${jobs} jobs, ` +
        `the queue's share of their time ${(share * 100).toFixed(1)} %`,
    );
  }
  print(`queue: best ratio ${best.toFixed(3)} (wanted: 0.9)`);
  for (const worker of workers) worker.kill('SIGTERM');
  await Promise.all(workers.map((one) => new Promise((resolve) => one.on('close', resolve))));
  redis.kill('SIGTERM');
  await new Promise((resolve) => redis.on('close', resolve));
}

/** Resident memory of a process, in megabytes; 0 where nobody says. */
function residentMb(pid: number | undefined): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024;
  } catch {
    return 0;
  }
}

async function measureLong(executions: number): Promise<void> {
  const store = join(dir, 'long');
  const args = ['--scenarios', 'program/casw', '--strategies', 'random', '--store', store];
  const samples: number[] = [];
  let next = 0.1;
  const bound = ['--executions', String(executions)];
  const { perSecond, seconds, last } = await throughput([...args, ...bound], (line, child) => {
    if (line.t !== 'progress' || (line.executions ?? 0) < next * executions) return;
    next += 0.1;
    samples.push(residentMb(child.pid));
  });
  const told = samples.map((mb) => mb.toFixed(0)).join(' ');
  print(
    `long: ${last.executions} executions in ${seconds.toFixed(0)} s, ${perSecond.toFixed(0)}/s`,
  );
  print(`long: resident memory at each tenth, MB: ${told}`);
  const bytes = statSync(join(store, 'data.mdb')).size;
  print(`long: store ${(bytes / 1e6).toFixed(2)} MB (wanted: under 100)`);
  measureListing(store);
}

function median(all: readonly number[]): number {
  return all.toSorted((a, b) => a - b)[all.length >> 1] as number;
}

function measureListing(store: string): void {
  const times: number[] = [];
  const empty: number[] = [];
  for (let i = 0; i < LISTINGS; i++) {
    let from = performance.now();
    spawnSync(process.execPath, ['-e', '0']);
    empty.push(performance.now() - from);
    from = performance.now();
    spawnSync(process.execPath, [main, 'results', '--store', store]);
    times.push(performance.now() - from);
  }
  print(
    `long: a listing ${median(times).toFixed(0)} ms, best ${Math.min(...times).toFixed(0)} ms ` +
      `(wanted: 200), of which node itself ${median(empty).toFixed(0)} ms`,
  );
}

const [what = 'all', number] = process.argv.slice(2);
try {
  if (what !== 'long') await measureQueue(Number(number ?? 3));
  if (what !== 'queue') await measureLong(what === 'long' && number ? Number(number) : 10_000_000);
} finally {
  rmSync(dir, { recursive: true, force: true });
}
