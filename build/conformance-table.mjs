/**
 * Writes the table design × case of docs/conformance.md anew: plays the recordings with every
 * design, and looks up why a case differs in docs/conformance-reasons.json.
 *
 *   node build/conformance-table.mjs [DESIGN=FILE…]   FILE: what conform --json printed before
 */
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';

const RECORDINGS = 'test/golden/xen-4.17-linux-6.1.json';
const PAGE = 'docs/conformance.md';
const DESIGNS = [
  'vm-foreign',
  'm2p-override',
  'vma-pages',
  'find-special-page',
  'find-normal-page',
];

const given = new Map(process.argv.slice(2).map((argument) => argument.split('=')));
const reasons = JSON.parse(readFileSync('docs/conformance-reasons.json', 'utf8'));

function play(design) {
  const file = given.get(design);
  if (file !== undefined) return JSON.parse(readFileSync(file, 'utf8'));
  const main = 'dist/fibers/src/cli/main.js';
  const args = [main, 'conform', RECORDINGS, '--design', design, '--json'];
  const run = spawnSync(process.execPath, args, { encoding: 'utf8', maxBuffer: 1 << 26 });
  if (run.stdout === '') throw new Error(run.stderr);
  return JSON.parse(run.stdout);
}

/** The number of the reason for a result, from 1; 0: there is none. */
function reasonOf(design, result) {
  const { difference } = result;
  return (
    reasons.findIndex(
      (reason) =>
        reason.designs.includes(design) &&
        new RegExp(reason.op).test(difference.op) &&
        (reason.cases === undefined || reason.cases.includes(result.case)) &&
        (reason.seen === undefined || new RegExp(reason.seen).test(String(difference.seen))),
    ) + 1
  );
}

function cellOf(design, result) {
  if (result.verdict === 'agree') return 'same';
  if (result.verdict === 'unsupported') return `unsupported: ${result.unsupported.op}`;
  const reason = reasonOf(design, result);
  const { step, field, seen } = result.difference;
  if (reason > 0) return `differs at ${step} (${reason})`;
  return `differs at ${step}, not explained: ${field} is ${String(seen)}`;
}

const played = DESIGNS.map((design) => ({ design, report: play(design) }));
const rows = played[0].report.results.map(({ case: name, env }, i) => {
  const cells = played.map(({ design, report }) => cellOf(design, report.results[i]));
  return `| ${name} | ${env.granter} | ${cells.join(' | ')} |`;
});
const totals = played.map(
  ({ report }) =>
    `${report.agree} same, ${report.differ} differ, ${report.unsupported} unsupported`,
);
const lines = [
  '<!-- table -->',
  '',
  `| case | granter | ${DESIGNS.join(' | ')} |`,
  `|---|---|${DESIGNS.map(() => '---|').join('')}`,
  ...rows,
  `| all | | ${totals.join(' | ')} |`,
  '',
  'Different, and right for its time:',
  '',
  ...reasons.map(({ reason }, i) => `${i + 1}. ${reason}`),
  '',
  '<!-- end of table -->',
];
const page = readFileSync(PAGE, 'utf8');
const [before] = page.split('<!-- table -->');
const [, after] = page.split('<!-- end of table -->');
writeFileSync(PAGE, `${before}${lines.join('\n')}${after}`);
