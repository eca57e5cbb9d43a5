/** Strategies by name. */
import type { Strategy } from '../strategy.ts';
import { BoundedSearch } from './bounded.ts';
import { DepthFirst } from './dfs.ts';
import { SourceDpor } from './dpor.ts';
import { OptimalDpor } from './optimal.ts';
import { Pct } from './pct.ts';
import { PartialOrderSampling } from './pos.ts';
import { RandomWalk } from './random-walk.ts';
import { RoundRobin } from './round-robin.ts';
import { SelectivelyUniform } from './surw.ts';

/** Every strategy that explores by itself. */
export const strategyNames = [
  'random',
  'round-robin',
  'pct',
  'pos',
  'surw',
  'preemption-bounded',
  'delay-bounded',
  'dfs',
  'dpor',
  'optimal',
] as const;

export type StrategyName = (typeof strategyNames)[number];

/** What a strategy may need; each takes what it knows. */
export interface StrategyParameters {
  readonly seed: number;
  /** Bug depth of PCT; budget of the bounded searches. */
  readonly depth?: number;
  /** Steps of a turn in round robin. */
  readonly quantum?: number;
  /** Probability of a switch in the random walk; without it all are equally likely to go. */
  readonly switches?: number;
  /** Random strategies: the number of the first execution, so that ranges can be split. */
  readonly first?: number;
}

export function makeStrategy(name: StrategyName, parameters: StrategyParameters): Strategy {
  const { seed, depth = 3, quantum = 1, first = 0, switches = 1 } = parameters;
  switch (name) {
    case 'random':
      return new RandomWalk(seed, switches, first);
    case 'round-robin':
      return new RoundRobin(quantum, first);
    case 'pct':
      return new Pct(seed, depth, first);
    case 'pos':
      return new PartialOrderSampling(seed, first);
    case 'surw':
      return new SelectivelyUniform(seed, first);
    case 'preemption-bounded':
      return new BoundedSearch(false, depth);
    case 'delay-bounded':
      return new BoundedSearch(true, depth);
    case 'dfs':
      return new DepthFirst();
    case 'dpor':
      return new SourceDpor();
    case 'optimal':
      return new OptimalDpor();
  }
}
