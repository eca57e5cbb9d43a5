/** `gntrace show`: the story of a race: who, where, what breaks, the fix, where it is told of. */
import { Command } from 'commander';
import { isNamed } from '../campaign/matrix/cell.ts';
import { races } from '../corpus/races.ts';
import type { Race } from '../corpus/race.ts';
import { bold, print } from './output.ts';
import { EXIT_CLEAN, UsageError, nearest } from './usage.ts';

/** The command. @param exit - takes the exit status. */
export function showCommand(exit: (status: number) => void): Command {
  return new Command('show')
    .description('tell the story of a race')
    .argument('<race>', 'name or id of a race, e.g. X1 or unmap-in-use; see gntrace list')
    .option('--json', 'print one JSON object instead of text')
    .action((text: string, { json }: { readonly json?: boolean }) => {
      const race = findRace(text);
      if (json === true) print(JSON.stringify(raceJson(race)));
      else tell(race);
      exit(EXIT_CLEAN);
    });
}

/** The race of this name or id; a wrong one is wrong use. */
export function findRace(text: string): Race {
  const found = races.find((race) => isNamed(race, text));
  if (found !== undefined) return found;
  const near = nearest(
    text,
    races.map(({ name }) => name),
  );
  const hint = near === undefined ? 'gntrace list names them all' : `did you mean ${near}?`;
  throw new UsageError(`no race called "${text}": ${hint}`);
}

/** A race as data. */
export function raceJson({ name, about, sources, designs, actors, bug }: Race): object {
  return {
    id: bug?.id ?? name,
    race: name,
    title: bug?.title ?? about,
    about,
    sources,
    designs,
    actors: actors.map(({ role, vcpu }) => ({ role, vcpu })),
    fixedIn: bug?.fixedIn ?? null,
    ...(bug === undefined ? {} : { story: bug.story, breaks: bug.breaks, fix: bug.fix }),
  };
}

function tell({ name, about, sources, designs, actors, bug }: Race): void {
  print(bold(bug === undefined ? name : `${bug.id}: ${bug.title}`));
  print(`  ${about}`);
  print(`  who      ${actors.map(({ role, vcpu }) => `${role} (vCPU ${vcpu})`).join(', ')}`);
  if (bug !== undefined) {
    bug.story.forEach((step, i) => print(`  ${i === 0 ? 'steps' : '     '}    ${i + 1}. ${step}`));
    print(`  breaks   ${bug.breaks.join(' or ')} (docs/invariants.md)`);
    print(`  fix      ${bug.fix} ${bug.fixedIn}`);
  }
  sources.forEach((source, i) => print(`  ${i === 0 ? 'told in' : '       '}  ${source}`));
  for (const design of designs) {
    print(`  try      gntrace explore race/${name} --design ${design}`);
  }
  print(`  decide   gntrace matrix --only ${bug?.id ?? name}`);
}
