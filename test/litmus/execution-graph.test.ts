/**
 * Goal: two runs have the same graph iff every load read the same store and each location saw its
 * stores in the same order, whenever buffers were flushed.
 * Method: a few runs by hand.
 */
import { describe, expect, test } from 'vitest';
import { ExecutionGraph } from '../../src/litmus/execution-graph.ts';

const X = 32;

function nameOf(steps: (graph: ExecutionGraph) => void): string {
  const graph = new ExecutionGraph(2);
  steps(graph);
  return graph.name();
}

describe('execution graphs', () => {
  test('a thread reads its own store before and after it reached memory', () => {
    const before = nameOf((graph) => {
      graph.announce(0, X);
      graph.loaded(0, X);
      graph.reached(0);
    });
    const after = nameOf((graph) => {
      graph.announce(0, X);
      graph.reached(0);
      graph.loaded(0, X);
    });
    expect(before).toBe(after);
  });

  test('another thread reads it only when it reached memory', () => {
    const early = nameOf((graph) => {
      graph.announce(0, X);
      graph.loaded(1, X);
      graph.reached(0);
    });
    const late = nameOf((graph) => {
      graph.announce(0, X);
      graph.reached(0);
      graph.loaded(1, X);
    });
    expect(early).not.toBe(late);
  });

  test('the order of stores tells runs apart, and an update reads the one before it', () => {
    const order = (first: number, second: number): string =>
      nameOf((graph) => {
        graph.updated(first, X);
        graph.updated(second, X);
      });
    expect(order(0, 1)).not.toBe(order(1, 0));
    expect(order(0, 1)).toBe(order(0, 1));
  });

  test('a cleared graph remembers nothing', () => {
    const graph = new ExecutionGraph(2);
    const empty = graph.name();
    graph.announce(0, X);
    graph.reached(0);
    graph.loaded(1, X);
    graph.clear();
    expect(graph.name()).toBe(empty);
  });
});
