/**
 * filesystem(n): threads give blocks to inodes, each inode and each block under its own lock
 * (Flanagan and Godefroid, POPL 2005). Up to 13 threads nobody meets anybody; then 2^(n-13).
 */
import type { Op } from '../../shared/op.ts';
import { acquireWhen, read, storeRelease, write } from '../../shared/operations.ts';
import { defineTable } from '../../shared/table.ts';
import type { Program } from '../program.ts';
import { threads } from '../program.ts';

const BLOCKS = 26;
const INODES = 32;

const Inode = defineTable('inode[%]', ['inodes'], {
  lock: '[ANY] 1 while held',
  block: '[HOLDER] number of its block + 1, or 0',
});
const Block = defineTable('block[%]', ['blocks'], {
  lock: '[ANY] 1 while held',
  busy: '[HOLDER] 1 once taken',
});

/** Takes a block for the thread's inode if it has none. @param tid - number of the thread. */
export function* filesystemThread(tid: number): Op<void> {
  const inode = tid % INODES;
  yield* acquireWhen(Inode.lock.at(inode), -1, 0, 1);
  if ((yield* read(Inode.block.at(inode))) === 0) {
    const block = yield* takeBlock((inode * 2) % BLOCKS);
    yield* write(Inode.block.at(inode), block + 1);
  }
  yield* storeRelease(Inode.lock.at(inode), 0);
}

function* takeBlock(from: number): Op {
  let block = from;
  for (;;) {
    yield* acquireWhen(Block.lock.at(block), -1, 0, 1);
    if ((yield* read(Block.busy.at(block))) === 0) break;
    yield* storeRelease(Block.lock.at(block), 0);
    block = (block + 1) % BLOCKS;
  }
  yield* write(Block.busy.at(block), 1);
  yield* storeRelease(Block.lock.at(block), 0);
  return block;
}

export const filesystem: Program = {
  name: 'filesystem',
  about: 'Each of n threads takes a free block for its inode; inodes and blocks have locks.',
  param: { counts: 'threads', least: 1, usual: 14 },
  tables: [Inode, Block],
  config: () => ({ inodes: INODES, blocks: BLOCKS }),
  actors: (n) => threads(n, 'thread', filesystemThread),
};
