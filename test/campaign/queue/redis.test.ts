/**
 * Goal: user, password and TLS come from the URL or the environment, and are in no message.
 * Method: URLs, right and wrong.
 */
import { describe, expect, test } from 'vitest';
import { QueueError, placeOf, redisConnection } from '../../../src/campaign/queue/redis.ts';

describe('a place in Redis', () => {
  test('is read from a URL', () => {
    expect(redisConnection('redis://localhost', {})).toEqual({
      host: 'localhost',
      port: 6379,
      db: 0,
      maxRetriesPerRequest: null,
    });
    expect(redisConnection('rediss://me:s%40cret@[::1]:7000/3', {})).toEqual({
      host: '::1',
      port: 7000,
      db: 3,
      username: 'me',
      password: 's@cret',
      tls: {},
      maxRetriesPerRequest: null,
    });
  });

  test('tells a server of TLS its name, which an address is not', () => {
    const of = (url: string): unknown => redisConnection(url, {}).tls;
    expect(of('rediss://queue.example')).toEqual({ servername: 'queue.example' });
    expect(of('rediss://10.0.0.1')).toEqual({});
    expect(of('redis://queue.example')).toBeUndefined();
  });

  test('has its password from the environment, if the URL has none', () => {
    const env = { GNTRACE_REDIS_USERNAME: 'env', GNTRACE_REDIS_PASSWORD: 'hidden' };
    expect(redisConnection('redis://h', env)).toMatchObject({
      username: 'env',
      password: 'hidden',
    });
    expect(redisConnection('redis://a:b@h', env)).toMatchObject({ username: 'a', password: 'b' });
  });

  test('is told without user and password', () => {
    for (const url of ['redis://me:secret@host:1/2', 'rediss://:secret@[::1]:1']) {
      expect(placeOf(redisConnection(url, {}))).not.toMatch(/me|secret/);
    }
    expect(placeOf(redisConnection('rediss://me:secret@host:1/2', {}))).toBe('rediss://host:1/2');
  });

  test('that makes no sense is refused without repeating it', () => {
    for (const url of ['secret', 'http://secret', 'redis://', 'redis://h/secret', '']) {
      expect(() => redisConnection(url, {})).toThrow(QueueError);
      expect(() => redisConnection(url, {})).not.toThrow(/secret/);
    }
    expect(() => redisConnection('rediss://h', { GNTRACE_REDIS_CA: '/nowhere' })).toThrow('_CA');
  });
});
