/** `gntrace campaign`: many cells, on all cores, for as long as it takes. */
import { randomBytes } from 'node:crypto';
import { Command } from 'commander';
import { Campaign } from '../campaign/campaign.ts';
import { CAMPAIGN_ROOMS, codeVersion } from '../campaign/code-version.ts';
import type { Portioning } from '../campaign/cells/drawn.ts';
import type { CampaignTotals } from '../campaign/events.ts';
import { StoreWriter } from '../campaign/store/writer.ts';
import type { CampaignRecord } from '../campaign/store/records.ts';
import { STORE_VERSION } from '../campaign/store/records.ts';
import type { Runner } from '../campaign/work.ts';
import { CampaignProgress } from './campaign-progress.ts';
import type { RawPlanOptions } from './campaign-plan.ts';
import { PLAN_OPTIONS, planCells, planOf } from './campaign-plan.ts';
import type { RawRunnerOptions } from './campaign-runner.ts';
import { makeRunner, withRunnerOptions } from './campaign-runner.ts';
import { asUsage, storeToRead, usualStore } from './campaign-store.ts';
import { describeResults } from './campaign-text.ts';
import { exportResults } from './results-export.ts';
import { durationSeconds } from './duration.ts';
import type { Baseline } from './baseline.ts';
import { newFindings, readBaseline } from './baseline.ts';
import { interruptSignal } from './interrupt.ts';
import { complain, print } from './output.ts';
import type { Listed } from './results-json.ts';
import { listFindings } from './results-json.ts';
import { EXIT_CLEAN, EXIT_FINDING, EXIT_INTERRUPTED, UsageError } from './usage.ts';

/** Stands for a plan file: go on with what a store holds. */
const RESUME = 'resume';

interface RawOptions extends RawPlanOptions, RawRunnerOptions {
  readonly store?: string;
  readonly for?: string;
  readonly new?: boolean;
  readonly shard?: string;
  readonly baseline?: string;
  readonly junit?: string;
  readonly json?: boolean;
}

/** The command. @param exit - takes the exit status. */
export function campaignCommand(exit: (status: number) => void): Command {
  const command = new Command('campaign')
    .description('run many scenarios, designs and strategies on all cores, and lose nothing')
    .argument('[plan]', `a plan file (docs/campaigns.md), or ${RESUME}: go on with what is stored`);
  for (const [flags, what] of PLAN_OPTIONS) command.option(flags, what);
  withRunnerOptions(command)
    .option('--store <dir>', 'where results are kept (default: a folder of .gntrace/campaigns)')
    .option('--for <time>', 'begin nothing more after this time: 90s, 5m, 8h, 2d')
    .option('--new', 'prefer cells that were seen least and still show new orderings')
    .option('--shard <i/n>', 'only every n-th shard, from the i-th on; then gntrace results merge')
    .option('--baseline <file>', 'exit with 1 only for findings that this export does not have')
    .option('--junit <file>', 'write JUnit XML at the end: a test case for each cell')
    .option('--json', 'print NDJSON instead of text')
    .addHelpText(
      'after',
      '\nExit status: 0 nothing found, 1 a finding (with --baseline: a new one), 2 wrong use,\n' +
        '3 tool failed, 130 interrupted (what was done is kept; gntrace campaign resume goes on).',
    );
  return command.action(async (file: string | undefined, raw: RawOptions) => {
    exit(await runCampaign(file, raw));
  });
}

async function runCampaign(file: string | undefined, raw: RawOptions): Promise<number> {
  const seconds = raw.for === undefined ? Infinity : durationSeconds(raw.for, '--for');
  const baseline = raw.baseline === undefined ? null : await readBaseline(raw.baseline);
  const code = codeVersion(CAMPAIGN_ROOMS);
  const { store, dir } = file === RESUME ? resumed(raw, code) : begun(file, raw, code, seconds);
  const { signal, forget } = interruptSignal();
  let runner: Runner | undefined;
  let status: number;
  try {
    runner = await makeRunner(raw, store.campaign);
    await follow(store, dir, runner, raw, seconds, signal);
    status = ended(store, raw, baseline, signal.aborted, dir);
  } finally {
    forget();
    await runner?.close();
    await store.close();
  }
  await exportAtEnd(dir, raw);
  return status;
}

/** What continuous integration wants; annotations where GitHub runs it. */
async function exportAtEnd(dir: string, { junit, json }: RawOptions): Promise<void> {
  const github = process.env['GITHUB_ACTIONS'] === 'true' && json !== true;
  if (junit === undefined && !github) return;
  await exportResults(dir, { ...(junit !== undefined && { junit }), github });
}

/** Runs the campaign and shows how it goes. */
async function follow(
  store: StoreWriter,
  dir: string,
  runner: Runner,
  raw: RawOptions,
  seconds: number,
  signal: AbortSignal,
): Promise<void> {
  const json = raw.json === true;
  const progress = new CampaignProgress({ json, seconds });
  const { onEvent } = progress;
  const how = { signal, seconds, preferNew: raw.new === true, part: store.part, onEvent };
  const campaign = new Campaign(store, runner, how);
  progress.start(store.campaign, campaign.totals, runner.slots, dir);
  let totals: CampaignTotals;
  try {
    totals = await campaign.run();
  } finally {
    progress.stop();
  }
  if (json) {
    const usage = runner.usage?.() ?? {};
    progress.tell('campaign.end', { ...totals, interrupted: signal.aborted, ...usage });
  }
}

function ended(
  store: StoreWriter,
  raw: RawOptions,
  baseline: Baseline | null,
  interrupted: boolean,
  dir: string,
): number {
  const findings = listFindings(store);
  const fresh: readonly Listed[] = baseline === null ? findings : newFindings(findings, baseline);
  if (raw.json !== true) {
    describeResults(store, dir);
    if (baseline !== null) print(`${fresh.length} of ${findings.length} findings are new`);
  }
  if (interrupted) {
    complain(`interrupted; gntrace campaign ${RESUME} --store ${dir} goes on`);
    return EXIT_INTERRUPTED;
  }
  return fresh.length > 0 ? EXIT_FINDING : EXIT_CLEAN;
}

interface Opened {
  readonly store: StoreWriter;
  readonly dir: string;
}

/** A store for a plan: a new one, or one that holds the same plan already. */
function begun(file: string | undefined, raw: RawOptions, code: string, seconds: number): Opened {
  const plan = planOf(file, raw);
  const { cells, hash } = planCells(plan, seconds !== Infinity);
  const name = plan.name ?? `campaign-${hash.slice(0, 8)}`;
  const part = readPart(raw.shard);
  const dir = raw.store === undefined ? usualStore(name) : storeToRead(raw.store);
  const campaign: CampaignRecord = {
    v: STORE_VERSION,
    id: randomBytes(6).toString('hex'),
    name,
    plan: hash,
    code,
    cells,
    startedMs: Date.now(),
  };
  const store = asUsage(() => StoreWriter.create(dir, campaign, part));
  const known = store.campaign;
  const other = known.plan !== hash || store.part.index !== part.index || store.part.of !== part.of;
  if (other) return refuse(store, `${dir} holds another campaign; --store names another folder`);
  return checkCode(store, dir, code);
}

/** The store of a campaign that goes on. */
function resumed(raw: RawOptions, code: string): Opened {
  for (const [flags] of PLAN_OPTIONS) {
    const name = /--(\w+)/.exec(flags)?.[1] as keyof RawPlanOptions;
    if (raw[name] === undefined) continue;
    throw new UsageError(`--${name} is for a new campaign; ${RESUME} goes on with the plan it has`);
  }
  if (raw.shard !== undefined) throw new UsageError(`--shard is kept in the store`);
  const dir = storeToRead(raw.store);
  return checkCode(
    asUsage(() => StoreWriter.goOn(dir)),
    dir,
    code,
  );
}

function checkCode(store: StoreWriter, dir: string, code: string): Opened {
  if (store.campaign.code === code) return { store, dir };
  return refuse(
    store,
    `the store in ${dir} was written by other code (${store.campaign.code}, this is ${code}): ` +
      `its totals would mean nothing; --store names another folder`,
  );
}

function refuse(store: StoreWriter, why: string): never {
  void store.close();
  throw new UsageError(why);
}

/** Reads `i/n`. */
function readPart(text: string | undefined): Portioning {
  if (text === undefined) return { index: 0, of: 1 };
  const found = /^(\d{1,6})\/(\d{1,6})$/.exec(text);
  const [index, of] = [Number(found?.[1]), Number(found?.[2])];
  if (index >= 1 && index <= of) return { index: index - 1, of };
  throw new UsageError(`--shard must look like 2/3, not "${text}"`);
}
