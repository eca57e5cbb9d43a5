/** Locks: which words are locks, and what their values say. */
import type { LockKind, NamedWord } from '../report/meaning.ts';
import { isUnlocked } from '../shared/spinlock.ts';

/** Docs of locks that do not name their kind. */
const BY_NAME: Readonly<Record<string, LockKind>> = {
  'heap.lock': 'spinlock',
  'xen.shootdown.flushLock': 'spinlock',
  'mapping[%].lock': 'rwsem',
  'grant_table[d%].rwlock': 'rwlock',
  'linux[d%].gntalloc.mutex': 'mutex',
  'linux[d%].balloon.mutex': 'mutex',
};

/** The kind of lock that a word is; null if it is none. */
export function lockKind({ table, field, doc }: NamedWord): LockKind | null {
  const known = BY_NAME[`${table}.${field}`];
  if (known !== undefined) return known;
  const kind = /^\[[^\]]*\] (?:\w+(?:\(\))?: )?(spinlock|rwlock|rwsem|mutex|seqcount)\b/.exec(doc);
  return (kind?.[1] as LockKind | undefined) ?? null;
}

/** A lock's word: `free`, `held`, `held, 2 wait`, `2 readers`, `write section`. */
export function lockText(kind: LockKind, value: number): string {
  switch (kind) {
    case 'mutex':
      return value === 0 ? 'free' : 'held';
    case 'spinlock':
      return spinlockText(value);
    case 'rwlock':
      return sharedText(value >>> 16, (value & 0xffff) >>> 1, value & 1);
    case 'rwsem':
      return sharedText(value >>> 8, (value & 0xff) >>> 1, value & 1);
    case 'seqcount':
      return (value & 1) === 1 ? `${value} write section` : String(value);
  }
}

/** A ticket lock, or a flag. */
function spinlockText(value: number): string {
  if (isUnlocked(value)) return value === 0 ? 'free' : `free, ticket ${value & 0xffff}`;
  if (value === 1) return 'held';
  const waiting = ((value >>> 16) - (value & 0xffff) - 1) & 0xffff;
  return waiting === 0 ? `held, ticket ${value & 0xffff}` : `held, ${waiting} wait`;
}

function sharedText(readers: number, waiting: number, writer: number): string {
  const held = [
    ...(writer === 1 ? ['writer'] : []),
    ...(readers > 0 ? [`${readers} ${readers === 1 ? 'reader' : 'readers'}`] : []),
    ...(waiting > 0 ? [`${waiting} ${waiting === 1 ? 'writer waits' : 'writers wait'}`] : []),
  ];
  return held.length === 0 ? 'free' : held.join(', ');
}
