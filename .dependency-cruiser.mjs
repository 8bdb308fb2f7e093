/** Who may import whom (ARCHITECTURE.md, "The map"). Each layer lists what it may use; anything else is a violation. */
const folder = (name) => `^src/${name}/`;
const PURE = [
  'base',
  'wire',
  'resources',
  'allocator',
  'master/core',
  'master/views',
  'agent/core',
  'marathon/definition',
  'coordination/zookeeper/core',
  'coordination/election/core',
  'marathon/core',
  'marathon/views',
  'sdk/core',
  'sim',
];

const MAY_USE = {
  base: [],
  wire: ['base'],
  resources: ['base', 'wire'],
  allocator: ['base', 'wire', 'resources'],
  'master/core': ['base', 'wire', 'resources', 'allocator'],
  'master/views': ['base', 'wire', 'resources', 'allocator', 'master/core'],
  'agent/core': ['base', 'wire', 'resources'],
  'marathon/definition': ['base'],
  'marathon/core': ['base', 'wire', 'resources', 'marathon/definition'],
  'marathon/views': ['base', 'wire', 'resources', 'marathon/definition', 'marathon/core'],
  // A framework like any other: it knows nothing of masters and agents but what their wire says.
  marathon: ['base', 'wire', 'resources', 'config', 'coordination', 'http', 'runtime', 'sdk'],
  libprocess: ['base', 'wire'],
  http: ['base', 'wire', 'config'],
  config: ['base'],
  runtime: ['base'],
  'agent/containers': ['base', 'wire', 'resources', 'agent/core', 'runtime'],
  'coordination/zookeeper/core': ['base', 'wire'],
  'coordination/election/core': ['base', 'wire', 'coordination/zookeeper/core'],
  coordination: ['base', 'wire', 'runtime'],
  'sdk/core': ['base', 'wire'],
  sdk: ['base', 'wire', 'resources', 'coordination'],
  sim: [
    'base',
    'wire',
    'resources',
    'allocator',
    'master/core',
    'agent/core',
    'coordination/zookeeper/core',
    'coordination/election/core',
    'sdk/core',
    'marathon/definition',
    'marathon/core',
  ],
};

const layers = Object.entries(MAY_USE).map(([layer, allowed]) => ({
  name: `layer ${layer}`,
  comment: `src/${layer} may import only: ${[layer, ...allowed].join(', ')}`,
  severity: 'error',
  from: { path: folder(layer), pathNot: '\\.(test|fixture)\\.ts$' },
  to: { path: '^src/', pathNot: [layer, ...allowed].map(folder) },
}));

export default {
  forbidden: [
    ...layers,
    { name: 'no cycles', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'pure folders use no package and no part of Node',
      severity: 'error',
      from: { path: PURE.map(folder), pathNot: '\\.(test|fixture)\\.ts$' },
      to: { dependencyTypes: ['core', 'npm', 'npm-dev', 'npm-no-pkg', 'npm-unknown'] },
    },
    {
      name: 'nothing imports a main.ts',
      severity: 'error',
      from: {},
      to: { path: '/main\\.ts$' },
    },
    {
      name: 'master and agent never import each other',
      severity: 'error',
      from: { path: '^src/(master|agent)/' },
      to: { path: '^src/(master|agent)/', pathNot: '^src/$1/' },
    },
    {
      name: 'the sources never import tests or benches',
      severity: 'error',
      from: { path: '^src/', pathNot: '\\.(test|fixture)\\.ts$' },
      to: { path: '^(test|bench)/|\\.test\\.ts$' },
    },
    { name: 'not resolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      extensions: ['.ts', '.js', '.mjs', '.json'],
      conditionNames: ['source', 'import', 'node', 'default'],
      exportsFields: ['exports'],
    },
  },
};
