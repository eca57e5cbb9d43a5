/**
 * `gntrace bench torn`: why every re-check is atomic. A seqlock whose reader looks at the sequence
 * again by a plain load returns torn snapshots where the JavaScript engine merges two plain loads
 * of one word: V8's Maglev does, in Node 24 and later (`--no-maglev-cse` forbids it). `npx -y
 * -p node@24 node dist/fibers/src/cli/main.js bench torn` shows it.
 */
import { Worker } from 'node:worker_threads';
import { Command } from 'commander';
import { print } from '../../src/cli/output.ts';
import { positiveNumber } from '../../src/cli/usage.ts';
import { editionFile } from '../../src/threads/crew.ts';
import { aligned } from '../table.ts';
import { STOP, WORDS } from '../torn.reader.ts';
import type { Seen } from '../torn.reader.ts';
import type { Side } from '../torn.worker.ts';

function start(buffer: SharedArrayBuffer, side: Side): Promise<Seen> {
  const worker = new Worker(editionFile('fibers', 'bench/torn.worker.js'), {
    workerData: { buffer, side },
  });
  return new Promise((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
  });
}

/** Reads beside a writer. */
export async function readBeside(side: Side, seconds: number): Promise<Seen> {
  const buffer = new SharedArrayBuffer(WORDS * 4);
  const sides = Promise.all([start(buffer, side), start(buffer, 'writer')]);
  await new Promise((resolve) => {
    setTimeout(resolve, seconds * 1000);
  });
  Atomics.store(new Int32Array(buffer), STOP, 1);
  return (await sides)[0];
}

function row(name: string, { snapshots, torn }: Seen): string[] {
  return [name, String(snapshots), String(torn)];
}

/** The command. */
export function tornCommand(): Command {
  return new Command('torn')
    .description('a seqlock with a plain re-check, beside one with an atomic re-check')
    .option('--seconds <s>', 'time for each', '3')
    .option('--json', 'print one JSON object instead of text')
    .action(async (raw: { readonly seconds: string; readonly json?: boolean }) => {
      const seconds = positiveNumber(raw.seconds, '--seconds', 1e6);
      const plain = await readBeside('plain', seconds);
      const atomic = await readBeside('atomic', seconds);
      const node = process.versions.node;
      if (raw.json === true) {
        print(JSON.stringify({ schema: 'gntrace-torn/1', node, seconds, plain, atomic }));
        return;
      }
      const rows = [row('plain', plain), row('atomic', atomic)];
      for (const line of aligned(['second look', 'snapshots', 'torn'], rows)) print(line);
      print(`Node ${node}, V8 ${process.versions.v8}`);
    });
}
