import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { WeightInfo } from '../../../../wire/v1.ts';
import type { AuthorizationQuestion } from '../../authorization.ts';
import { scalar, World } from '../../harness.fixture.ts';

const update = (world: World, weight_infos: readonly WeightInfo[], principal?: string) =>
  world.operate({ type: 'UPDATE_WEIGHTS', update_weights: { weight_infos } }, principal);

test('weights are stored, then kept; those that are not named stay, and of a role named twice the last counts', () => {
  const world = new World();
  assert.equal(
    update(world, [
      { role: ' a ', weight: 2 },
      { role: 'b', weight: 1.5 },
      { role: 'a', weight: 3 },
    ]).status,
    200,
  );
  assert.deepEqual(
    [...world.state.weights],
    [
      ['a', 3],
      ['b', 1.5],
    ],
  );
  world.autoCommit = false;
  world.step({
    kind: 'operatorCall',
    request: 1,
    call: { type: 'UPDATE_WEIGHTS', update_weights: { weight_infos: [{ role: 'a', weight: 4 }] } },
  });
  const stored = world.effects.flatMap((effect) => (effect.kind === 'commit' ? [effect.operation] : []));
  assert.deepEqual(stored, [{ type: 'UPDATE_WEIGHTS', weights: [{ role: 'a', weight: 4 }] }]);
  assert.equal(world.state.weights.get('a'), 3);
  world.commitAll();
  assert.equal(world.state.weights.get('a'), 4);
});

const INVALID: readonly [what: string, infos: readonly WeightInfo[], reason: RegExp][] = [
  ['no role', [{ weight: 1 }], /Invalid role ''/],
  ['a role that is a dot', [{ role: '.', weight: 1 }], /Invalid role '\.'/],
  ['a role with a blank inside', [{ role: 'x y', weight: 1 }], /Invalid role 'x y'.*whitespace/],
  ['a role that --roles does not list', [{ role: 'stranger', weight: 1 }], /Unknown role 'stranger'.*--roles/],
  ['a weight of nothing', [{ role: 'a', weight: 0 }], /Invalid weight '0' of the role 'a'.*positive/],
  ['a negative weight', [{ role: 'a', weight: -2 }], /Invalid weight '-2'/],
  ['a weight that is no number', [{ role: 'a', weight: Number.NaN }], /Invalid weight 'NaN'/],
  ['an infinite weight', [{ role: 'a', weight: Infinity }], /Invalid weight 'Infinity'/],
  [
    'one good and one bad',
    [
      { role: 'a', weight: 1 },
      { role: 'a', weight: 0 },
    ],
    /Invalid weight '0'/,
  ],
];
for (const [what, infos, reason] of INVALID) {
  test(`UPDATE_WEIGHTS refuses ${what}, and changes nothing`, () => {
    const world = new World({ roleWhitelist: new Set(['*', 'a', '', '.', 'x y']) });
    const { status, text } = update(world, infos);
    assert.equal(status, 400);
    assert.match(text ?? '', reason);
    assert.equal(world.state.weights.size, 0);
  });
}

test('all offers are taken back and dealt anew if a changed role has frameworks, and only then', () => {
  const world = new World();
  const a = world.subscribe({ role: 'a' });
  const b = world.subscribe({ role: 'b' });
  for (let port = 1; port <= 4; port++) world.register(5050 + port, [scalar('cpus', 1)]);
  world.sleep(1000);
  const offers = () => [a, b].map(({ id }) => world.state.frameworks.get(id)?.offers.size);
  assert.deepEqual(offers(), [2, 2]);
  assert.equal(update(world, [{ role: 'c', weight: 5 }]).status, 200);
  assert.equal(world.events(a.stream, 'RESCIND').length, 0);
  assert.equal(update(world, [{ role: 'a', weight: 3 }]).status, 200);
  assert.deepEqual(
    [a, b].map(({ stream }) => world.events(stream, 'RESCIND').length),
    [2, 2],
  );
  world.sleep(1000);
  assert.deepEqual(offers(), [3, 1]);
});

test('who may not change a weight is told so; every role is asked for', () => {
  const asked: AuthorizationQuestion[] = [];
  const world = new World({
    authorize: (question) => {
      asked.push(question);
      return question.action === 'UPDATE_WEIGHT' && question.role === 'a';
    },
  });
  assert.equal(
    update(
      world,
      [
        { role: 'a', weight: 2 },
        { role: 'b', weight: 2 },
      ],
      'clerk',
    ).status,
    403,
  );
  assert.deepEqual(asked, [
    { action: 'UPDATE_WEIGHT', role: 'a', principal: 'clerk' },
    { action: 'UPDATE_WEIGHT', role: 'b', principal: 'clerk' },
  ]);
  assert.equal(world.state.weights.size, 0);
});

test('nothing to change is a success', () => {
  const world = new World();
  assert.equal(update(world, []).status, 200);
  assert.equal(world.effects.filter((effect) => effect.kind === 'commit').length, 0);
});
