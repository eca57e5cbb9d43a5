/**
 * Goal: what travels arrives as it was sent, or is refused: for other code, of another version,
 * damaged anywhere, or of another shape.
 * Method: parcels with any one character changed, and parcels that lie.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Parcel } from '../../../src/campaign/queue/parcel.ts';
import {
  RefusedError,
  pack,
  unpackOutcome,
  unpackWork,
} from '../../../src/campaign/queue/parcel.ts';
import { NOTHING } from '../../../src/campaign/work.ts';
import type { Outcome, Work } from '../../../src/campaign/work.ts';
import { WorkRunner } from '../../../src/campaign/run-work.ts';
import { findScenario } from '../../../src/cli/scenarios.ts';
import { cell } from '../here.ts';

const address = { campaign: 'c1', code: 'abc', key: '0.1' };
const { executions: _executions, ...question } = cell();
const works: readonly Work[] = [
  { kind: 'draw', question, first: 250, executions: 500 },
  { kind: 'fuzz', question: { ...question, scenario: 'fuzz' }, executions: 10 },
  { kind: 'shrink', seed: 'gnt1.x', seconds: 5 },
  {
    kind: 'search',
    question: { ...question, scenario: 'program/lastzero', param: 5, strategy: 'optimal' },
    part: { subtree: { path: [], sleepers: [], below: [] } },
    executions: 10,
    most: null,
  },
];

describe('a parcel', () => {
  test('arrives as it was sent', () => {
    for (const work of works) {
      const sent = JSON.parse(JSON.stringify(pack(address, work))) as unknown;
      expect(unpackWork(sent, 'abc')).toMatchObject({ address, work });
    }
  });

  test('with what is left of a search arrives as it was sent', () => {
    const result = new WorkRunner(findScenario).run(works[3] as Work, new Int32Array(2));
    expect(result.left?.share?.rest?.nodes.length).toBeGreaterThan(1);
    const outcome: Outcome = { result, milliseconds: 1.5 };
    const sent = JSON.parse(JSON.stringify(pack(address, outcome))) as unknown;
    expect(unpackOutcome(sent, address)).toEqual(outcome);
  });

  test('that is damaged anywhere is refused', () => {
    const sent = pack(address, works[0] as Work);
    const fields = Object.keys(sent) as (keyof Parcel)[];
    fc.assert(
      fc.property(fc.constantFrom(...fields), fc.nat(), fc.nat(), (field, at, add) => {
        const value = sent[field];
        const text = String(value);
        const i = at % text.length;
        const other = String.fromCharCode(32 + ((text.charCodeAt(i) - 32 + 1 + (add % 94)) % 95));
        fc.pre(other !== text[i]);
        const changed = text.slice(0, i) + other + text.slice(i + 1);
        const damaged = { ...sent, [field]: typeof value === 'number' ? Number(changed) : changed };
        expect(() => unpackWork(damaged, 'abc')).toThrow(RefusedError);
      }),
    );
  });

  test('for other code, of another version or for somebody else is refused', () => {
    expect(() => unpackWork(pack({ ...address, code: 'def' }, works[0] as Work), 'abc')).toThrow(
      'refused: for other code (def, this is abc)',
    );
    const outcome = { result: NOTHING, milliseconds: 1 };
    const sent = pack(address, outcome);
    expect(unpackOutcome(sent, address)).toEqual(outcome);
    expect(() => unpackOutcome(sent, { ...address, key: '0.2' })).toThrow(RefusedError);
    expect(() => unpackOutcome(sent, { ...address, campaign: 'c2' })).toThrow(RefusedError);
  });

  test('of another shape is refused, whatever its checksum says', () => {
    const [draw] = works as [Work];
    const wrong: unknown[] = [
      { ...draw, kind: 'exec' },
      { ...draw, first: -1 },
      { ...draw, command: 'rm' },
      { ...draw, question: { ...question, strategy: 'none' } },
      { kind: 'shrink', seed: 1, seconds: 5 },
      null,
    ];
    for (const content of wrong) {
      expect(() => unpackWork(pack(address, content as Work), 'abc')).toThrow(RefusedError);
    }
    for (const data of [null, 'text', {}, [], 7]) {
      expect(() => unpackWork(data, 'abc')).toThrow(RefusedError);
    }
  });
});
