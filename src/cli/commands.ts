/**
 * The commands by name. Only what is called is loaded: all of the corpus takes longer to load than
 * a listing takes.
 */
import type { Command } from 'commander';

type MakeCommand = (exit: (status: number) => void) => Command;

/** In the order of the help. */
const commands: Readonly<Record<string, () => Promise<MakeCommand>>> = {
  matrix: async () => (await import('./matrix.ts')).matrixCommand,
  corpus: async () => (await import('./corpus.ts')).corpusCommand,
  list: async () => (await import('./list.ts')).listCommand,
  show: async () => (await import('./show.ts')).showCommand,
  explore: async () => (await import('./explore.ts')).exploreCommand,
  replay: async () => (await import('./replay.ts')).replayCommand,
  report: async () => (await import('./report.ts')).reportCommand,
  shrink: async () => (await import('./shrink.ts')).shrinkCommand,
  fuzz: async () => (await import('./fuzz.ts')).fuzzCommand,
  litmus: async () => (await import('./litmus.ts')).litmusCommand,
  lockstep: async () => (await import('./lockstep.ts')).lockstepCommand,
  conform: async () => (await import('./conform.ts')).conformCommand,
  start: async () => (await import('./start.ts')).startCommand,
  compare: async () => (await import('./compare.ts')).compareCommand,
  campaign: async () => (await import('./campaign.ts')).campaignCommand,
  worker: async () => (await import('./worker.ts')).workerCommand,
  results: async () => (await import('./results.ts')).resultsCommand,
  stress: async () => (await import('./stress.ts')).stressCommand,
  bench: async () => (await import('./bench.ts')).benchCommand,
};

const VERSION = new Set(['-V', '--version']);

/** The command that is called, or all of them where none is: for help, and for a wrong name. */
export async function commandsFor(
  args: readonly string[],
  exit: (status: number) => void,
): Promise<Command[]> {
  if (VERSION.has(args[0] ?? '')) return [];
  const called = Object.hasOwn(commands, args[0] ?? '') ? commands[args[0] as string] : undefined;
  const makers = called === undefined ? Object.values(commands) : [called];
  return Promise.all(makers.map(async (load) => (await load())(exit)));
}
