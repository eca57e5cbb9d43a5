/**
 * Which code a result comes from. Results of different code are never put together: the matrix
 * keeps a file for each version, a campaign goes on only with its own, and a worker refuses work of
 * another one.
 */
import { createHash } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The rooms on which a cell of the matrix depends. */
export const MATRIX_ROOMS = [
  'shared',
  'hardware',
  'xen',
  'linux',
  'actors',
  'corpus',
  'oracle',
  'explore',
] as const;

/** Those on which the results of a campaign depend: shards are cut and judged here. */
export const CAMPAIGN_ROOMS = [
  ...MATRIX_ROOMS,
  'programs',
  'decode',
  'report',
  'campaign',
] as const;

/** Names the code of this edition: 16 hex digits of a hash over all that a result depends on. */
export function codeVersion(rooms: readonly string[] = MATRIX_ROOMS): string {
  const root = fileURLToPath(new URL('../', import.meta.url));
  const hash = createHash('sha256');
  for (const room of rooms) {
    const files = readdirSync(join(root, room), { recursive: true, encoding: 'utf8' });
    for (const file of files.filter((name) => /\.[jt]s$/.test(name)).sort()) {
      hash
        .update(file)
        .update('\0')
        .update(readFileSync(join(root, room, file)));
    }
  }
  return hash.digest('hex').slice(0, 16);
}
