/**
 * A plan: which scenarios are asked of which designs, under which memory models, by which
 * strategies, how far. docs/campaigns.md describes the file.
 */
import * as v from 'valibot';
import { CAMPAIGN_STRATEGIES } from '../cells/cell.ts';

/** What is wrong with a plan, in one line. */
export class PlanError extends Error {}

const SEED_LIMIT = 0xffffffff;
const names = v.pipe(v.array(v.pipe(v.string(), v.minLength(1))), v.minLength(1));
const count = v.pipe(v.number(), v.safeInteger(), v.minValue(1));
const seed = v.pipe(v.number(), v.safeInteger(), v.minValue(0), v.maxValue(SEED_LIMIT));

const entry = v.strictObject({
  /** Names or globs. `fuzz` stands for programs that are drawn. */
  scenarios: names,
  designs: v.optional(names, ['all']),
  memory: v.optional(v.pipe(v.array(v.picklist(['sc', 'tso', 'all'])), v.minLength(1)), ['sc']),
  strategies: v.optional(
    v.pipe(v.array(v.picklist([...CAMPAIGN_STRATEGIES, 'all'])), v.minLength(1)),
    ['pct'],
  ),
  executions: v.optional(count),
  seed: v.optional(seed, 1),
  depth: v.optional(count, 3),
  param: v.optional(v.pipe(v.number(), v.safeInteger(), v.minValue(0))),
});

const plan = v.strictObject({
  name: v.optional(v.pipe(v.string(), v.regex(/^[\w.-]{1,64}$/, 'must be letters, digits, . _ -'))),
  cells: v.pipe(v.array(entry), v.minLength(1)),
});

export type PlanEntry = v.InferOutput<typeof entry>;
export type Plan = v.InferOutput<typeof plan>;

/** Reads a plan. @param from - where it stands, for the message. @throws PlanError. */
export function parsePlan(text: string, from: string): Plan {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new PlanError(`${from} is no JSON: ${error instanceof Error ? error.message : ''}`);
  }
  return checkPlan(json, from);
}

/** Takes a plan that is data already. @throws PlanError. */
export function checkPlan(data: unknown, from: string): Plan {
  const parsed = v.safeParse(plan, data);
  if (parsed.success) return parsed.output;
  const [issue] = parsed.issues;
  const path = v.getDotPath(issue);
  throw new PlanError(`${from}: ${path === null ? '' : `${path}: `}${issue.message}`);
}
