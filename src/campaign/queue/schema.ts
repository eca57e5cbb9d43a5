/** The shape of what travels: work, and what came of it (work.ts). */
import * as v from 'valibot';
import type { Branch } from '../../explore/dpor/subtree.ts';
import { strategyNames } from '../../explore/strategies/index.ts';

const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const whole = v.pipe(v.number(), v.safeInteger());
const wholes = v.array(whole);

const question = v.strictObject({
  scenario: v.string(),
  design: v.string(),
  param: count,
  memory: v.picklist(['sc', 'tso']),
  strategy: v.picklist(strategyNames),
  seed: count,
  depth: count,
});

const branch: v.GenericSchema<Branch> = v.lazy(() =>
  v.strictObject({ event: wholes, below: v.array(branch) }),
);

const part = v.union([
  v.strictObject({ decisions: wholes }),
  v.strictObject({
    subtree: v.strictObject({
      path: wholes,
      sleepers: v.array(v.array(wholes)),
      below: v.array(branch),
    }),
  }),
]);

export const workSchema = v.variant('kind', [
  v.strictObject({ kind: v.literal('draw'), question, first: count, executions: count }),
  v.strictObject({
    kind: v.literal('search'),
    question,
    part,
    executions: count,
    most: v.nullable(count),
  }),
  v.strictObject({ kind: v.literal('fuzz'), question, executions: count }),
  v.strictObject({
    kind: v.literal('shrink'),
    seed: v.string(),
    seconds: v.pipe(v.number(), v.minValue(0), v.maxValue(3600)),
  }),
]);

const sighting = v.strictObject({
  scenario: v.string(),
  design: v.string(),
  memory: v.picklist(['sc', 'tso']),
  fingerprint: v.string(),
  invariant: v.string(),
  message: v.string(),
  words: v.array(v.string()),
  seed: v.string(),
  steps: count,
  preemptions: count,
  times: count,
});

const demand = v.strictObject({ depth: count, sequence: v.array(wholes), initials: wholes });

const share = v.strictObject({
  shape: v.strictObject({ actors: count, cpu: wholes, grouped: v.boolean() }),
  demands: v.array(demand),
  rest: v.nullable(
    v.strictObject({
      path: wholes,
      nodes: v.array(v.strictObject({ sleepers: v.array(wholes), branches: v.array(branch) })),
    }),
  ),
  chooses: v.boolean(),
});

const result = v.strictObject({
  executions: count,
  blocked: count,
  discarded: count,
  steps: count,
  sightings: v.array(sighting),
  pairs: v.array(count),
  left: v.nullable(v.strictObject({ decisions: v.array(wholes), share: v.nullable(share) })),
  exhausted: v.boolean(),
});

export const outcomeSchema = v.union([
  v.strictObject({ result, milliseconds: v.number() }),
  v.strictObject({
    failure: v.strictObject({
      reason: v.picklist(['crashed', 'out of memory', 'hung', 'failed']),
      message: v.string(),
      begun: count,
    }),
  }),
]);
