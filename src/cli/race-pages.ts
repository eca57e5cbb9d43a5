/**
 * Pages of races beside a page that links to them: `matrix.html` has its own in `matrix-races/`. A
 * page is named by the checksum of its seed and written once; what another edition of gntrace wrote
 * there is removed first.
 */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { basename, dirname, extname, join, resolve } from 'node:path';
import { CAMPAIGN_ROOMS, codeVersion } from '../campaign/code-version.ts';
import { SeedError, parseSeed } from '../explore/seed.ts';
import type { FoundRace } from '../report/findings.ts';
import { PARTS, partOf } from '../report/page-parts.ts';
import { LiveLine, complain } from './output.ts';
import { writeText } from './race-export.ts';
import { racePageOf } from './race-file.ts';
import { recordOf } from './race-text.ts';
import { programOf } from './seed-program.ts';
import { UsageError } from './usage.ts';
import { thisTool } from './version.ts';

/** What is ours in the folder; anything else there stays. */
const PAGE = /^[0-9a-f]{8}\.html$/;

/**
 * Writes the pages that are missing. A seed that cannot be replayed, or breaks nothing any more,
 * has none, and a line says so.
 * @param file - the page that will link to them.
 * @returns for each seed its page, as a path from where `file` lies.
 */
export function writeRacePages(
  file: string,
  seeds: readonly string[],
): ReadonlyMap<string, string> {
  const wanted = [...new Set(seeds)];
  if (wanted.length === 0) return new Map();
  const name = `${basename(file, extname(file))}-races`;
  const folder = join(dirname(resolve(file)), name);
  beginFolder(folder);
  const pages = new Map<string, string>();
  const line = new LiveLine();
  const started = performance.now();
  wanted.forEach((seed, done) => {
    line.show(progressText(done, wanted.length, performance.now() - started));
    const page = `${seed.slice(-8)}.html`;
    const path = join(folder, page);
    const why = PAGE.test(page) ? writeMissing(path, seed) : 'it is no seed';
    line.clear();
    if (why === '') pages.set(seed, `${name}/${page}`);
    else complain(`no page of ${seed}: ${why}`);
  });
  return pages;
}

/**
 * Races with the pages of their shortest seeds, those that have none with one beside the index.
 * @param file - the index; pages are paths from where it lies.
 */
export function withRacePages(file: string, races: readonly FoundRace[]): FoundRace[] {
  const without = races.flatMap(({ shortest }) => (shortest.page === null ? shortest.seed : []));
  const written = writeRacePages(file, without);
  return races.map((race) => {
    const { page, seed } = race.shortest;
    return { ...race, shortest: { ...race.shortest, page: page ?? written.get(seed) ?? null } };
  });
}

/** Leaves no page there that is not of this edition. */
function beginFolder(folder: string): void {
  const marker = join(folder, 'edition');
  const edition = thisEdition();
  if (existsSync(marker) && readFileSync(marker, 'utf8') === edition) return;
  const there = existsSync(folder) ? readdirSync(folder) : [];
  for (const name of there.filter((known) => PAGE.test(known))) rmSync(join(folder, name));
  writeText(marker, edition);
}

/** All that a page is made of, but for its seed. */
function thisEdition(): string {
  const hash = createHash('sha256');
  hash.update(codeVersion([...CAMPAIGN_ROOMS, 'cli'])).update(JSON.stringify(thisTool()));
  for (const part of PARTS) hash.update(partOf(part));
  return hash.digest('hex');
}

/** @returns why there is no page; empty if there is one. */
function writeMissing(path: string, seed: string): string {
  if (existsSync(path)) return '';
  try {
    const seeded = programOf(parseSeed(seed));
    const race = recordOf(seeded);
    if (race.verdict !== 'broken') return 'it breaks nothing here';
    // Under its name it is whole, whenever this ends.
    writeText(`${path}.part`, racePageOf(seeded, race));
    renameSync(`${path}.part`, path);
    return '';
  } catch (error) {
    if (error instanceof SeedError || error instanceof UsageError) return error.message;
    throw error;
  }
}

function progressText(done: number, of: number, elapsed: number): string {
  const left =
    done === 0 ? '' : `, about ${Math.ceil(((of - done) * elapsed) / done / 1000)} s left`;
  return `${done} of ${of} pages of races${left}`;
}
