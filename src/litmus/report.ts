/** The result of a litmus test in the words of herd7. */
import type { LitmusResult } from './run.ts';

const KINDS = { exists: 'Allowed', '~exists': 'Forbidden', forall: 'Required' };

/** @returns the lines that herd7 prints, closed by an empty one. */
export function litmusReport(result: LitmusResult): string {
  const { positive, negative } = result;
  // For ~exists herd counts as positive what supports the claim.
  const [supports, refutes] =
    result.quantifier === '~exists' ? [negative, positive] : [positive, negative];
  return [
    `Test ${result.name} ${KINDS[result.quantifier]}`,
    `States ${result.states.length}`,
    ...result.states.map(({ state }) => state),
    isDecided(result) ? (result.ok ? 'Ok' : 'No') : 'Undecided',
    'Witnesses',
    `Positive: ${supports} Negative: ${refutes}`,
    `Condition ${result.condition}`,
    `Observation ${result.name} ${result.observation} ${positive} ${negative}`,
    `Time ${result.name} ${result.seconds.toFixed(2)}`,
    '',
  ].join('\n');
}

/** Is the condition settled, even if not every interleaving was covered? */
export function isDecided({ exhausted, quantifier, positive, negative }: LitmusResult): boolean {
  return exhausted || (quantifier === 'forall' ? negative > 0 : positive > 0);
}
