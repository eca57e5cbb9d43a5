/** Which gntrace this is. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { RaceTool } from '../report/race.ts';

/** The project's directory, above the source or the edition that runs. */
const root = rootAbove(dirname(fileURLToPath(import.meta.url)));

function rootAbove(directory: string): string {
  const above = dirname(directory);
  if (above === directory || existsSync(join(directory, 'package.json'))) return directory;
  return rootAbove(above);
}

/** As package.json says. */
export function version(): string {
  return (JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string })
    .version;
}

/** What a record says of the tool that made it. */
export function thisTool(): RaceTool {
  return { version: version(), commit: commit(), runtime: `Node.js ${process.version}` };
}

/** The commit of the checkout that runs; null if it is none. */
function commit(): string | null {
  try {
    const git = gitDirectory();
    const head = readFileSync(join(git, 'HEAD'), 'utf8').trim();
    if (!head.startsWith('ref: ')) return head;
    return refOf(git, head.slice(5));
  } catch {
    return null;
  }
}

/** `.git`, or what it leads to in a worktree. */
function gitDirectory(): string {
  const path = join(root, '.git');
  try {
    const link = /^gitdir: (.*)$/m.exec(readFileSync(path, 'utf8'))?.[1];
    return link ?? path;
  } catch {
    return path;
  }
}

function refOf(git: string, ref: string): string | null {
  const common = readable(join(git, 'commondir'));
  const home = common === null ? git : join(git, common.trim());
  const loose = readable(join(home, ref));
  if (loose !== null) return loose.trim();
  const packed = readable(join(home, 'packed-refs')) ?? '';
  return (
    packed
      .split('\n')
      .find((line) => line.endsWith(` ${ref}`))
      ?.slice(0, 40) ?? null
  );
}

function readable(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}
