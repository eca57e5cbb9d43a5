/** Strategies by name. */
import type { Strategy } from '../strategy.ts';
import { DepthFirst } from './dfs.ts';
import { OptimalDpor } from './optimal.ts';
import { SourceDpor } from './dpor.ts';
import { Pct } from './pct.ts';
import { RandomWalk } from './random-walk.ts';
import { RoundRobin } from './round-robin.ts';

export type StrategyName = 'random' | 'round-robin' | 'pct' | 'dfs' | 'dpor' | 'optimal';

/** What a strategy may need; each takes what it knows. */
export interface StrategyParameters {
  readonly seed: number;
  /** Bug depth of PCT. */
  readonly depth?: number;
  /** Steps of a turn in round robin. */
  readonly quantum?: number;
}

export function makeStrategy(name: StrategyName, parameters: StrategyParameters): Strategy {
  const { seed, depth = 3, quantum = 1 } = parameters;
  switch (name) {
    case 'random':
      return new RandomWalk(seed);
    case 'round-robin':
      return new RoundRobin(quantum);
    case 'pct':
      return new Pct(seed, depth);
    case 'dfs':
      return new DepthFirst();
    case 'dpor':
      return new SourceDpor();
    case 'optimal':
      return new OptimalDpor();
  }
}
