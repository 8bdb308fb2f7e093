import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Offer } from '../../wire/v1.ts';
import { type Scheduler, World } from './harness.fixture.ts';

const AGENTS = 400;

/** Many agents, all of them offered to the first of two schedulers. */
function stage(): { world: World; first: Scheduler; second: Scheduler; offers: Offer[] } {
  const world = new World();
  for (let i = 0; i < AGENTS; i++) world.register(6000 + i);
  world.sleep(1000);
  const first = world.subscribe({ name: 'first' });
  const offers = world.offers(first);
  assert.equal(offers.length, AGENTS);
  return { world, first, second: world.subscribe({ name: 'second' }), offers };
}

function decline(world: World, scheduler: Scheduler, offers: readonly Offer[]): void {
  const offer_ids = offers.map(({ id }) => id);
  world.say(scheduler, { type: 'DECLINE', decline: { offer_ids, filters: { refuse_seconds: 1000 } } });
}

test('in a big cluster too, an agent that is freed goes to who is next at once, not at the next interval', () => {
  const { world, first, second, offers } = stage();
  world.sleep(10);
  for (const offer of offers.slice(0, 5)) {
    decline(world, first, [offer]);
    assert.deepEqual(
      world.offers(second, 1).map(({ agent_id }) => agent_id.value),
      [offer.agent_id.value],
    );
  }
});

test('after an allocation that looked at many agents the next waits for as long as that is worth', () => {
  const { world, first, second, offers } = stage();
  world.sleep(10);
  decline(world, first, offers.slice(0, AGENTS - 1));
  assert.equal(world.offers(second, 1).length, AGENTS - 1);
  decline(world, first, offers.slice(AGENTS - 1));
  assert.deepEqual(world.offers(second, 4), []);
  assert.equal(world.offers(second, 10).length, 1);
});
