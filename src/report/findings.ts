/** Many findings as few races: grouped by fingerprint, each with its shortest seed. */

export const FINDINGS_SCHEMA = 'findings/v1';

/** One finding, however it was kept. */
export interface Finding {
  readonly fingerprint: string;
  readonly invariant: string;
  readonly message: string;
  readonly scenario: string;
  /** Empty if the scenario has none. */
  readonly design: string;
  readonly memory: string;
  readonly seed: string;
  readonly replay: string;
  readonly steps: number;
  readonly preemptions: number;
  /** Executions that broke like this. */
  readonly times: number;
  /** Of the executions that were tried, those that broke; null if nobody counted. */
  readonly rate: number | null;
  /** Where it is kept, from the directory that was asked for. */
  readonly file: string;
  /** Its page, likewise; null if there is none. */
  readonly page: string | null;
}

/** Findings that are one race. */
export interface FoundRace {
  readonly fingerprint: string;
  readonly invariant: string;
  readonly message: string;
  /** Findings, and executions that broke. */
  readonly findings: number;
  readonly times: number;
  /** The highest that is known; null if nobody counted. */
  readonly rate: number | null;
  /** Where it shows: `race/unmap-in-use m2p-override sc`, each once, in order. */
  readonly where: readonly string[];
  /** With the fewest preemptions, then steps. */
  readonly shortest: Finding;
}

/** The races of some findings, those that were seen most first. */
export function foundRaces(findings: readonly Finding[]): FoundRace[] {
  const groups = new Map<string, Finding[]>();
  for (const finding of findings) {
    const group = groups.get(finding.fingerprint);
    if (group === undefined) groups.set(finding.fingerprint, [finding]);
    else group.push(finding);
  }
  return [...groups.values()]
    .map(raceOf)
    .toSorted((a, b) => b.times - a.times || (a.fingerprint < b.fingerprint ? -1 : 1));
}

function raceOf(group: readonly Finding[]): FoundRace {
  const shortest = group.toSorted(shorterFirst)[0] as Finding;
  const rates = group.flatMap(({ rate }) => rate ?? []);
  const { fingerprint, invariant, message } = shortest;
  return {
    fingerprint,
    invariant,
    message,
    findings: group.length,
    times: group.reduce((sum, { times }) => sum + times, 0),
    rate: rates.length === 0 ? null : Math.max(...rates),
    where: [...new Set(group.map(whereOf))].toSorted(),
    shortest,
  };
}

/** Of equals, one that has a page. */
function shorterFirst(a: Finding, b: Finding): number {
  const shorter = a.preemptions - b.preemptions || a.steps - b.steps;
  return shorter || Number(a.page === null) - Number(b.page === null) || (a.seed < b.seed ? -1 : 1);
}

/** `race/unmap-in-use m2p-override sc` */
export function whereOf({ scenario, design, memory }: Finding): string {
  return [scenario, design, memory].filter((part) => part !== '').join(' ');
}

/** `0.94 %`; an empty text if nobody counted. */
export function rateText(rate: number | null): string {
  return rate === null ? '' : `${Number((rate * 100).toPrecision(2))} %`;
}
