/**
 * Goal: a queue can be one behind TLS: work gets there and back, and a server whose certificate is
 * not trusted is refused at once, with the way out. Method: a real Redis with a certificate of its
 * own, a worker and a campaign of the built command line.
 */
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Certificate } from '../children.ts';
import { Child, Redis, freePort, noTls, outcomeOf, selfSigned } from '../children.ts';
import { folder } from '../here.ts';

const SECRET = 'pass-word-42';
const asked = ['--scenarios', 'program/lost-update', '--strategies', 'random,pct'];
const campaign = ['campaign', ...asked, '--executions', '500', '--json'];
const FINDING = 1;
const USAGE = 2;

describe.skipIf(noTls() !== null)(`a queue behind TLS ${noTls() ?? ''}`, () => {
  let certificate: Certificate;
  let redis: Redis;

  beforeAll(async () => {
    const dir = folder();
    mkdirSync(dir, { recursive: true });
    certificate = selfSigned(dir);
    redis = new Redis(await freePort(), dir, SECRET, certificate);
    await listening(redis.url);
  });

  afterAll(() => redis.stop());

  /** Until somebody answers there, whoever it is. */
  async function listening(url: string): Promise<void> {
    const { hostname, port } = new URL(url);
    for (;;) {
      const socket = connect(Number(port), hostname);
      const there = await once(socket, 'connect').catch(() => null);
      socket.destroy();
      if (there !== null) return;
      await sleep(50);
    }
  }

  test.each(['GNTRACE_REDIS_CA', 'NODE_EXTRA_CA_CERTS'])(
    'with its certificate in %s does the work of a campaign',
    async (variable) => {
      const trusting = ['env', `${variable}=${certificate.file}`];
      const queue = ['--queue', redis.url];
      const worker = new Child(['worker', ...queue, '--workers', '1', '--json'], trusting);
      await worker.until('worker.start', 1);
      const [queued, alone] = [folder(), folder()];
      const there = new Child([...campaign, ...queue, '--store', queued], trusting);
      expect((await there.ended).status).toBe(FINDING);
      const here = new Child([...campaign, '--workers', '1', '--store', alone]);
      expect((await here.ended).status).toBe(FINDING);
      expect(outcomeOf(queued)).toEqual(outcomeOf(alone));
      worker.kill('SIGTERM');
      expect(await worker.ended).toEqual({ status: 0, signal: null });
      expect(worker.lines.at(-1)).toMatchObject({ t: 'worker.end', refused: 0 });
      const said = worker.stderr + there.stderr;
      expect(said).not.toContain('Warning');
      expect(JSON.stringify([...worker.lines, ...there.lines]) + said).not.toContain(SECRET);
    },
  );

  test('that is not trusted is refused at once', async () => {
    for (const args of [['worker'], [...campaign, '--store', folder()]]) {
      const child = new Child([...args, '--queue', redis.url], ['env', '-u', 'GNTRACE_REDIS_CA']);
      expect(await child.ended).toEqual({ status: USAGE, signal: null });
      expect(child.stderr).toMatch(/^gntrace: the certificate of rediss:.* is not trusted.*_CA/);
      expect(child.stderr).not.toContain(SECRET);
    }
  });
});
