/**
 * Which Redis, and how to get there. User and password stand in the URL or in the environment, and
 * are never printed.
 *
 *   redis://[user:password@]host[:port][/db]    rediss:// for TLS
 *   GNTRACE_REDIS_USERNAME, GNTRACE_REDIS_PASSWORD   if the URL has none
 *   GNTRACE_REDIS_CA    a file with the certificate of the authority, for TLS
 */
import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';

/** A queue that cannot be used as asked, in one line. */
export class QueueError extends Error {}

/** What ioredis takes. */
export interface RedisConnection {
  readonly host: string;
  readonly port: number;
  readonly db: number;
  readonly username?: string;
  readonly password?: string;
  /** A server is told which name is meant, unless it is an address. */
  readonly tls?: { readonly ca?: string; readonly servername?: string };
  /** null: a command waits as long as Redis is away. */
  readonly maxRetriesPerRequest: null;
}

const USUAL_PORT = 6379;

/** @throws QueueError without repeating what the URL says. */
export function redisConnection(
  text: string,
  env: Readonly<Record<string, string | undefined>>,
): RedisConnection {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !['redis:', 'rediss:'].includes(url.protocol) || url.hostname === '') {
    throw new QueueError('--queue must look like redis://host:6379 or rediss://host:6379');
  }
  const db = url.pathname.length > 1 ? Number(url.pathname.slice(1)) : 0;
  if (!Number.isInteger(db) || db < 0) {
    throw new QueueError(
      'the path of --queue must be the number of a database, like redis://host/1',
    );
  }
  const username = decodeURIComponent(url.username) || env['GNTRACE_REDIS_USERNAME'];
  const password = decodeURIComponent(url.password) || env['GNTRACE_REDIS_PASSWORD'];
  const host = url.hostname.replace(/^\[|\]$/g, '');
  return {
    host,
    port: url.port === '' ? USUAL_PORT : Number(url.port),
    db,
    ...(username !== undefined && username !== '' && { username }),
    ...(password !== undefined && password !== '' && { password }),
    ...(url.protocol === 'rediss:' && { tls: tlsOf(host, env['GNTRACE_REDIS_CA']) }),
    maxRetriesPerRequest: null,
  };
}

function tlsOf(host: string, ca: string | undefined): NonNullable<RedisConnection['tls']> {
  return {
    ...(isIP(host) === 0 && { servername: host }),
    ...(ca !== undefined && ca !== '' && { ca: fileOf(ca) }),
  };
}

function fileOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const why = error instanceof Error ? error.message : '';
    throw new QueueError(`cannot read GNTRACE_REDIS_CA: ${why}`);
  }
}

/** The place without user and password, for messages. */
export function placeOf({ host, port, db, tls }: RedisConnection): string {
  const name = host.includes(':') ? `[${host}]` : host;
  return `${tls === undefined ? 'redis' : 'rediss'}://${name}:${port}${db === 0 ? '' : `/${db}`}`;
}
