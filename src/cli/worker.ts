/** `gntrace worker`: takes work of campaigns from a queue, until it is told to leave. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Command } from 'commander';
import { CAMPAIGN_ROOMS, codeVersion } from '../campaign/code-version.ts';
import { loadBull } from '../campaign/queue/bull.ts';
import type { WorkerTally } from '../campaign/queue/queue-worker.ts';
import { QueueWorker } from '../campaign/queue/queue-worker.ts';
import { placeOf } from '../campaign/queue/redis.ts';
import type { RawPoolOptions } from './campaign-runner.ts';
import { connectionOf, poolOf, withPoolOptions } from './campaign-runner.ts';
import { durationSeconds } from './duration.ts';
import { interruptSignal } from './interrupt.ts';
import { LiveLine, complain, print, short } from './output.ts';
import { EXIT_CLEAN } from './usage.ts';

interface RawOptions extends RawPoolOptions {
  readonly queue: string;
  readonly lock: string;
  readonly stalled: string;
  readonly idle?: string;
  readonly json?: boolean;
}

const LOOK_MS = 200;

/** The command. @param exit - takes the exit status. */
export function workerCommand(exit: (status: number) => void): Command {
  const command = new Command('worker')
    .description('take work of campaigns from a queue; comes and goes at will')
    .requiredOption('--queue <url>', 'redis://host:6379, or rediss:// for TLS');
  return withPoolOptions(command)
    .option('--lock <time>', 'others take over work of a worker that is silent for so long', '30s')
    .option('--stalled <time>', 'how often to look for such work', '15s')
    .option('--idle <time>', 'leave when there was nothing to do for so long')
    .option('--json', 'print NDJSON instead of text')
    .addHelpText(
      'after',
      '\nUser and password stand in the URL, or in GNTRACE_REDIS_USERNAME and _PASSWORD;\n' +
        'GNTRACE_REDIS_CA is a file with the certificate of the authority, for rediss://.\n' +
        'Exit status: 0 left when it was told to, after its work, 2 wrong use, 3 tool failed.',
    )
    .action(async (raw: RawOptions) => {
      await work(raw);
      exit(EXIT_CLEAN);
    });
}

async function work(raw: RawOptions): Promise<void> {
  const connection = await connectionOf(raw.queue);
  const lockMs = durationSeconds(raw.lock, '--lock') * 1000;
  const stalledMs = durationSeconds(raw.stalled, '--stalled') * 1000;
  const idleMs = raw.idle === undefined ? Infinity : durationSeconds(raw.idle, '--idle') * 1000;
  const bull = await loadBull();
  const code = codeVersion(CAMPAIGN_ROOMS);
  const pool = poolOf(raw);
  const line = new LiveLine();
  const json = raw.json === true;
  const worker = new QueueWorker(bull, connection, pool, {
    code,
    lockMs,
    stalledMs,
    onWork: (tally) => {
      if (json) tell('work', tally);
      else line.show(textOf(tally));
    },
    onRefused: complain,
    onConnection: (there) =>
      complain(
        there ? `${placeOf(connection)} is there again` : `waiting for ${placeOf(connection)}`,
      ),
  });
  if (json) tell('worker.start', { code, workers: pool.slots, queue: placeOf(connection) });
  else print(`${pool.slots} threads take work of code ${code} from ${placeOf(connection)}`);
  const { signal, forget } = interruptSignal();
  while (!signal.aborted && worker.idleMs < idleMs) await sleep(LOOK_MS);
  await worker.close();
  forget();
  line.clear();
  if (json) tell('worker.end', worker.tally());
  else print(textOf(worker.tally()));
}

function tell(t: string, what: object): void {
  print(JSON.stringify({ v: 1, t, ...what }));
}

function textOf({ jobs, executions, refused }: WorkerTally): string {
  const no = refused === 0 ? '' : `, ${refused} refused`;
  return `${jobs} pieces of work, ${short(executions)} executions${no}`;
}
