/**
 * Results as JUnit XML, as CI systems read it: a case for each scenario under a design, a memory
 * model and a strategy. What is neither broken nor covered is skipped, and says so.
 */
import type { RaceRecord } from '../race.ts';
import { raceTable } from '../table.ts';

/** One question and what came of it. */
export interface JUnitCase {
  readonly scenario: string;
  readonly design: string;
  readonly memory: string;
  readonly strategy: string;
  readonly verdict: 'safe' | 'broken' | 'undecided';
  readonly seconds: number;
  readonly executions?: number;
  /** Of a broken one. */
  readonly race?: RaceRecord;
}

/** Columns of the table within a failure. */
const WIDTH = 100;

/** The document. */
export function junitXml(cases: readonly JUnitCase[]): string {
  const count = (verdict: JUnitCase['verdict']): number =>
    cases.filter((one) => one.verdict === verdict).length;
  const seconds = cases.reduce((sum, one) => sum + one.seconds, 0);
  const totals =
    `tests="${cases.length}" failures="${count('broken')}" errors="0" ` +
    `skipped="${count('undecided')}" time="${seconds.toFixed(3)}"`;
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="gntrace" ${totals}>`,
    `  <testsuite name="gntrace" ${totals}>`,
    ...cases.flatMap(caseLines),
    '  </testsuite>',
    '</testsuites>',
    '',
  ].join('\n');
}

function caseLines(one: JUnitCase): string[] {
  const { scenario, design, memory, strategy, seconds, verdict, executions, race } = one;
  const name = [design, memory, strategy].filter((part) => part !== '').join(' ');
  const properties: [string, string][] = [
    ...(executions === undefined ? [] : [['executions', String(executions)] as [string, string]]),
    ...(race === undefined
      ? []
      : ([
          ['seed', race.seed],
          ['replay', race.replay],
          ['fingerprint', race.fingerprint ?? ''],
          ['commit', race.tool.commit ?? ''],
        ] as [string, string][])),
  ];
  const named = `classname="${escaped(scenario)}" name="${escaped(name)}"`;
  return [
    `    <testcase ${named} time="${seconds.toFixed(3)}">`,
    ...(properties.length === 0 ? [] : propertyLines(properties)),
    ...outcomeLines(verdict, race),
    '    </testcase>',
  ];
}

function propertyLines(properties: readonly (readonly [string, string])[]): string[] {
  return [
    '      <properties>',
    ...properties.map(
      ([name, value]) => `        <property name="${escaped(name)}" value="${escaped(value)}"/>`,
    ),
    '      </properties>',
  ];
}

function outcomeLines(verdict: JUnitCase['verdict'], race: RaceRecord | undefined): string[] {
  if (verdict === 'undecided') {
    return [
      '      <skipped message="undecided: nothing broke, and not every schedule was covered"/>',
    ];
  }
  if (verdict === 'safe') return [];
  const table =
    race === undefined ? [] : raceTable(race, { width: WIDTH, all: false, ascii: true });
  const text = [...table.map((line) => line.text), ...(race === undefined ? [] : [race.replay])];
  const type = escaped(race?.invariant ?? 'broken');
  const message = escaped(race?.message ?? 'broken');
  return [
    `      <failure type="${type}" message="${message}">${escaped(text.join('\n'))}</failure>`,
  ];
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
};

/** Text as XML data or attribute. What XML 1.0 cannot say at all becomes `?`. */
function escaped(text: string): string {
  return (
    text
      // oxlint-disable-next-line no-control-regex
      .replaceAll(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|\p{Surrogate}/gu, '?')
      .replaceAll(/[&<>"']/g, (sign) => ENTITIES[sign] as string)
  );
}
