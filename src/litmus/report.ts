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
    result.ok ? 'Ok' : 'No',
    'Witnesses',
    `Positive: ${supports} Negative: ${refutes}`,
    `Condition ${result.condition}`,
    `Observation ${result.name} ${result.observation} ${positive} ${negative}`,
    `Time ${result.name} ${result.seconds.toFixed(2)}`,
    '',
  ].join('\n');
}
