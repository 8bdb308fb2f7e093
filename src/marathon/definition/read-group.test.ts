import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gained, NOW, PLAIN, problemsOf } from './definitions.fixture.ts';
import { type GroupFacts, readGroupUpdate } from './read-group.ts';

const facts: GroupFacts = {
  context: PLAIN,
  rolesOf: (id, enforceRole) => ({
    defaultRole: '*',
    groupRole: id.split('/').length > 2 ? id.split('/')[1] : undefined,
    enforceRole: enforceRole ?? false,
  }),
  now: NOW,
};
const read = (value: unknown, base = '/'): ReturnType<typeof readGroupUpdate> => readGroupUpdate(value, base, facts);
const app = { id: 'a', cmd: 'sleep 1' };

const REFUSED: readonly (readonly [document: unknown, line: string])[] = [
  ['x', '/ error.expected.jsobject'],
  [{ id: 'A' }, '/id error.pattern'],
  [{ id: '/a/tasks' }, '/id must not end with'],
  [{ id: 'g', apps: [{ ...app, id: '/a' }] }, "/apps(0)/id Identifier is not child of '/g'"],
  [{ id: 'g', apps: [{ ...app, id: 'x/a' }] }, "/apps(0)/id Identifier is not child of '/g'"],
  [{ id: 'g', apps: [{ ...app, instances: -1 }] }, '/apps(0)/instances error.min'],
  [{ id: 'g', apps: [{ id: 'a' }] }, '/apps(0) AppDefinition must either contain'],
  [{ id: 'g', groups: [{ id: 'h', apps: [{ ...app, ports: [1, 1] }] }] }, '/groups(0)/apps(0) ports must be unique'],
  [{ id: 'g', groups: [{}] }, '/groups(0)/id not defined'],
  [{ id: 'g', groups: [{ id: '/h' }] }, "/groups(0)/id Identifier is not child of '/g'"],
  [{ dependencies: ['A'] }, '/dependencies(0) error.pattern'],
  [{ scaleBy: -1 }, '/scaleBy error.min'],
  [{ scaleBy: 2, id: 'g' }, '/scaleBy not allowed in conjunction with other properties.'],
  [{ version: '2024-01-01T00:00:00.000Z', apps: [] }, '/version not allowed in conjunction with other properties.'],
  [{ version: 'x' }, '/version error.expected.date.isoformat'],
  [
    { id: 'g', groups: [{ id: 'h', enforceRole: true }] },
    '/groups(0)/enforceRole enforceRole can only be set for top-level',
  ],
];

for (const [document, line] of REFUSED) {
  test(`refused: ${line} <- ${JSON.stringify(document)}`, () => {
    const found = problemsOf(read(document));
    assert.ok(
      found.some((each) => each.startsWith(line)),
      `told ${JSON.stringify(found)}`,
    );
  });
}

test('ids and dependencies are those of the group they stand in', () => {
  const update = gained(
    read(
      { id: 'g', dependencies: ['../x'], groups: [{ id: 'h', apps: [{ ...app, dependencies: ['b', '/c'] }] }] },
      '/top',
    ),
  );
  const inner = update.groups?.[0];
  assert.equal(update.id, '/top/g');
  assert.deepEqual(update.dependencies, ['/top/x']);
  assert.equal(inner?.id, '/top/g/h');
  assert.equal(inner?.apps?.[0]?.id, '/top/g/h/a');
  assert.deepEqual(inner?.apps?.[0]?.dependencies, ['/top/g/h/b', '/c']);
  assert.equal(update.apps, undefined, 'what is not said keeps what is there');
});

test('a top-level group that enforces its role gives it to its apps', () => {
  const update = gained(read({ id: 'prod', enforceRole: true, groups: [{ id: 'h', apps: [app] }] }));
  assert.equal(update.groups?.[0]?.apps?.[0]?.role, 'prod');
});

test('groups too deep are refused instead of exhausting the stack', () => {
  let group: object = { id: 'g' };
  for (let depth = 0; depth < 5000; depth++) group = { id: 'g', groups: [group] };
  assert.ok(problemsOf(read(group)).some((line) => line.endsWith('groups may lie at most 64 deep')));
});
