/**
 * Whether a Redis that speaks TLS is the one that is meant. Whoever waits for it would wait for
 * ever: a certificate that is not trusted does not become so.
 */
import { once } from 'node:events';
import { connect } from 'node:tls';
import type { RedisConnection } from './redis.ts';
import { QueueError, placeOf } from './redis.ts';

const PATIENCE_MS = 5000;

/**
 * Shakes hands once, and says nothing. A server that is not there, or that speaks something else,
 * is waited for as usual. @throws QueueError if its certificate is not trusted.
 */
export async function checkCertificate(connection: RedisConnection): Promise<void> {
  const { host, port, tls } = connection;
  if (tls === undefined) return;
  const socket = connect({ ...tls, host, port, rejectUnauthorized: false });
  try {
    await once(socket, 'secureConnect', { signal: AbortSignal.timeout(PATIENCE_MS) });
  } catch {
    return;
  } finally {
    socket.destroy();
  }
  if (socket.authorized) return;
  const why = String(socket.authorizationError);
  throw new QueueError(
    `the certificate of ${placeOf(connection)} is not trusted (${why}); ` +
      'GNTRACE_REDIS_CA names the file with that of its authority',
  );
}
