/**
 * The arrows between rooms (ARCHITECTURE.md): which room may import which, for dependency-cruiser.
 * A room that is not named in a row may not be imported from there, type imports included.
 */
const { join } = require('node:path');

const simulated = ['shared', 'hardware', 'xen', 'linux', 'actors', 'corpus'];

/** Room → rooms it may import besides itself. */
const arrows = {
  shared: [],
  hardware: ['shared'],
  xen: ['shared', 'hardware'],
  linux: ['shared', 'hardware', 'xen'],
  actors: ['shared', 'hardware', 'xen', 'linux'],
  corpus: ['shared', 'hardware', 'xen', 'linux', 'actors'],
  programs: ['shared'],
  explore: ['shared'],
  litmus: ['shared', 'explore'],
  threads: ['shared'],
  oracle: ['shared', 'hardware', 'xen', 'linux'],
  report: ['shared', 'explore'],
  // Names for the numbers of the simulated rooms, in the form that reports take them.
  decode: ['shared', 'hardware', 'xen', 'linux', 'oracle', 'report'],
  conform: ['shared', 'hardware', 'xen', 'linux', 'actors'],
  campaign: [...simulated, 'explore', 'threads', 'oracle', 'report', 'decode'],
  cli: [
    ...simulated,
    'programs',
    'litmus',
    'explore',
    'threads',
    'oracle',
    'campaign',
    'conform',
    'report',
    'decode',
  ],
};

const rules = Object.entries(arrows).map(([room, targets]) => ({
  name: `arrows-of-${room}`,
  comment: `src/${room} may import ${targets.map((t) => `src/${t}`).join(', ') || 'no other room'}`,
  severity: 'error',
  from: { path: `^src/${room}/` },
  to: {
    path: '^(src|workers|bench|test|viewer)/',
    pathNot: `^src/(${[room, ...targets].join('|')})/`,
  },
}));

/** Rooms that the page itself may import; its engine imports whatever it runs. */
const drawn = ['shared', 'hardware', 'xen', 'explore', 'report'];

module.exports = {
  forbidden: [
    ...rules,
    {
      name: 'arrows-of-workers',
      comment: 'workers may import what is simulated, src/threads, src/oracle and src/explore',
      severity: 'error',
      from: { path: '^workers/' },
      to: {
        path: '^(src|bench|test|viewer)/',
        pathNot: `^src/(${[...simulated, 'threads', 'oracle', 'explore'].join('|')})/`,
      },
    },
    {
      name: 'arrows-of-the-page',
      comment: 'the page draws records and knows the engine by its protocol; nothing imports it',
      severity: 'error',
      from: { path: '^viewer/page/' },
      to: {
        path: '^(src|workers|bench|test|viewer/engine)/',
        pathNot: `^(src/(${drawn.join('|')})/|viewer/engine/protocol\\.ts$)`,
      },
    },
    {
      name: 'arrows-of-the-engine',
      comment: 'the engine of the page knows nothing of the page',
      severity: 'error',
      from: { path: '^viewer/engine/' },
      to: { path: '^(workers|bench|test|viewer/page)/' },
    },
    {
      name: 'no-cycles',
      comment:
        'files that need each other belong in one file, or share a third; ' +
        'functions of a kernel may call each other across files, as they do there',
      severity: 'error',
      from: { path: '^(src|workers|viewer)/', pathNot: '^src/(hardware|xen|linux|actors|corpus)/' },
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'everything-resolves',
      comment: 'an import that leads nowhere would pass every other rule',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
  ],
  options: {
    doNotFollow: { path: '(^|/)(node_modules|dist)/' },
    exclude: { path: '(^|/)dist/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: join(__dirname, '../tsconfig.json') },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'types', 'default'],
    },
  },
};
