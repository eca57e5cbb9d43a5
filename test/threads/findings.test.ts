/**
 * Goal: the board keeps each finding once with the number of its sights, and loses none in silence.
 * Method: several writers on one board, as the threads of a run have them.
 */
import { describe, expect, test } from 'vitest';
import {
  BOARD_SLOTS,
  BoardWriter,
  boardOverflow,
  boardSize,
  createBoard,
  readBoard,
  startBoard,
} from '../../src/threads/findings.ts';

describe('the findings board', () => {
  test('the same finding of two threads is one, of the first to see it', () => {
    const board = createBoard();
    startBoard(board);
    const [one, two] = [new BoardWriter(board), new BoardWriter(board)];
    one.report(0, 5, 100, 0);
    one.report(0, 5, 100, 0);
    two.report(1, 5, 100, 0);
    two.report(1, 6, 100, 7);
    const entries = readBoard(board);
    expect(entries).toHaveLength(2);
    expect(entries[0]).toMatchObject({ actor: 0, violation: 5, wordA: 100, count: 3 });
    expect(entries[1]).toMatchObject({ actor: 1, violation: 6, wordB: 7, count: 1 });
    expect(entries[0]?.atMs).toBeLessThan(1000);
  });

  test('what no longer fits is counted', () => {
    const board = createBoard();
    const writer = new BoardWriter(board);
    for (let i = 0; i < BOARD_SLOTS + 10; i++) writer.report(0, 1, i, 0);
    expect(readBoard(board)).toHaveLength(BOARD_SLOTS);
    expect(boardOverflow(board)).toBe(10);
    expect(boardSize(board)).toBe(BOARD_SLOTS + 10);
  });
});
