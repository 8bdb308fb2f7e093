import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '../base/random.ts';
import { err, type Result } from '../base/result.ts';
import { MemoryStore } from '../coordination/store/memory.ts';
import type { Change, StoreFailure } from '../coordination/store/store.ts';
import type { MarathonEffect } from './core/effects.ts';
import { MarathonCore } from './core/machine.ts';
import { Rig, START } from './core/rig.fixture.ts';
import { loadState } from './load-state.ts';
import { type DirectPerformers, durable, encodeValue, parseValues } from './store.ts';

/** Takes little at once, and fails after some portions. */
class SmallStore extends MemoryStore {
  readonly limits = { count: 7, bytes: 600_000 };
  portions = 0;
  readonly #failsAt: number;

  constructor(values: Map<string, Uint8Array>, failsAt = Number.POSITIVE_INFINITY) {
    super(values);
    this.#failsAt = failsAt;
  }

  override apply(changes: readonly Change[]): Promise<Result<void, StoreFailure>> {
    assert.ok(changes.length <= this.limits.count, `${changes.length} at once`);
    if (this.portions++ === this.#failsAt) return Promise.resolve(err({ kind: 'unavailable', message: 'gone' }));
    return super.apply(changes);
  }
}

/** What one step of a Marathon with one app asks for that gets, changes and loses many. */
function largeStep(): {
  readonly before: ReadonlyMap<string, Uint8Array>;
  readonly effects: readonly MarathonEffect[];
} {
  const rig = new Rig();
  const apps = (cmd: string, from: number) =>
    Array.from({ length: 20 }, (_, i) => ({ id: `/many/a-${i + from}`, cmd, cpus: 0.1, instances: 2 }));
  rig.addAgent('h');
  rig.change({ kind: 'updateGroup', id: '/many', dryRun: false, document: { id: '/many', apps: apps('sleep 1', 0) } });
  rig.advance(10_000);
  const before = new Map([...rig.stored].map(([key, text]) => [key, encodeValue(JSON.parse(text))]));
  const effects: MarathonEffect[] = [];
  const env = { now: rig.now, wall: START + rig.now, random: seededRandom(7), chance: () => false };
  const change = {
    kind: 'updateGroup',
    id: '/many',
    dryRun: false,
    document: { id: '/many', apps: apps('sleep 2', 10), dependencies: ['/other'] },
  } as const;
  const event = { kind: 'change', request: 1, change, force: true, caller: { clientIp: '', uri: '' } } as const;
  rig.core.step(event, env, (effect) => effects.push(effect));
  return { before: before.set('meta/format', encodeValue({ version: 1 })), effects };
}

/** Performs a step with this store. @returns what got out */
async function perform(store: SmallStore, effects: readonly MarathonEffect[]): Promise<readonly string[]> {
  const out: string[] = [];
  const note = (effect: MarathonEffect): void => void out.push(effect.kind);
  const kinds = ['answer', 'call', 'roles', 'publish', 'probe', 'log', 'exit'];
  const direct = Object.fromEntries(kinds.map((kind) => [kind, note])) as unknown as DirectPerformers;
  const performers = durable(store, direct, () => out.push('failed'));
  const table = performers as unknown as Record<string, (effect: MarathonEffect) => void>;
  for (const effect of effects) table[effect.kind]?.(effect);
  while (!out.includes('answer') && !out.includes('failed')) await new Promise((resolve) => setImmediate(resolve));
  return out;
}

test('a step that is more than a store takes at once goes in portions; wherever these end, a Marathon starts, and nothing was told', async () => {
  const { before, effects } = largeStep();
  const whole = new SmallStore(new Map(before));
  assert.ok((await perform(whole, effects)).includes('answer'));
  assert.ok(whole.portions > 5, `${whole.portions} portions`);
  for (let failsAt = 0; failsAt < whole.portions; failsAt++) {
    const values = new Map(before);
    const out = await perform(new SmallStore(values, failsAt), effects);
    assert.deepEqual(
      out.filter((kind) => kind === 'answer' || kind === 'call'),
      [],
      'nothing of it is told',
    );
    const state = await loadState({ store: new MemoryStore(values), tell: () => {} });
    assert.ok(state.ok, `after ${failsAt} portions: ${state.ok ? '' : state.error}`);
    const core = new MarathonCore(new Rig().options, state.value);
    const env = { now: 0, wall: START + 100_000, random: seededRandom(7), chance: () => false };
    assert.doesNotThrow(() => core.step({ kind: 'start' }, env, () => {}));
  }
});

test('large values are kept compressed, and read like the others', () => {
  const value = { texts: Array.from({ length: 20_000 }, (_, i) => `text ${i}`) };
  const bytes = encodeValue(value);
  assert.ok(bytes.length < 100_000, `${bytes.length} bytes`);
  const read = parseValues('here', new Map([['deployment/x', bytes]]));
  assert.ok(read.ok);
  assert.deepEqual(read.value.get('deployment/x'), value);
});
