import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Form, type Kept, type Listed, STRETCH } from './kept.ts';
import { newKept } from './parts.fixture.ts';

interface Item {
  readonly name: string;
}

/** A form that counts the items that it is asked for. */
function counting(): { readonly form: Form<Item>; made: number } {
  const counter = {
    made: 0,
    form: {
      name: 'names',
      make: (items: readonly Item[]): string => {
        counter.made += items.length;
        return items.map(({ name }) => `${name};`).join('');
      },
    },
  };
  return counter;
}

function read(kept: Kept, list: Listed<Item>, form: Form<Item>): string {
  let text = '';
  for (const piece of kept.pieces(list, form)) if (piece !== undefined) text += Buffer.from(piece).toString();
  return text;
}

const items = (count: number, from = 0): Item[] =>
  Array.from({ length: count }, (_, at) => ({ name: `i${from + at}` }));
const listed = (list: readonly Item[], id = 'list'): Listed<Item> => ({ id, items: list });
const plain = (list: readonly Item[]): string => list.map(({ name }) => `${name};`).join('');

test('what has not changed is not made again', () => {
  const kept = newKept();
  const counter = counting();
  const list = items(10 * STRETCH + 5);
  assert.equal(read(kept, listed(list), counter.form), plain(list));
  assert.equal(counter.made, list.length);
  assert.equal(read(kept, listed([...list]), counter.form), plain(list));
  assert.equal(counter.made, list.length);
});

test('a change costs the items around it, wherever it is', () => {
  for (const change of [
    (list: Item[]): unknown => list.splice(3 * STRETCH + 7, 1),
    (list: Item[]): unknown => list.splice(3 * STRETCH + 7, 1, { name: 'other' }),
    (list: Item[]): unknown => list.splice(3 * STRETCH, 0, { name: 'more' }),
    (list: Item[]): unknown => list.shift(),
    (list: Item[]): unknown => list.push({ name: 'last' }),
  ]) {
    const kept = newKept();
    const counter = counting();
    const list = items(10 * STRETCH + 5);
    read(kept, listed(list), counter.form);
    counter.made = 0;
    change(list);
    assert.equal(read(kept, listed(list), counter.form), plain(list));
    assert.ok(counter.made <= 2 * STRETCH, `${counter.made} items were made again`);
  }
});

test('a list that only ever grows by one does not fall into small stretches', () => {
  const kept = newKept();
  const { form } = counting();
  const list: Item[] = [];
  for (const item of items(5 * STRETCH)) {
    list.push(item);
    read(kept, listed(list), form);
  }
  const pieces = [...kept.pieces(listed(list), form)].filter((piece) => piece !== undefined);
  assert.equal(pieces.length, 5);
});

test('each form and each list has pieces of its own', () => {
  const kept = newKept();
  const list = items(3);
  const loud: Form<Item> = { name: 'loud', make: (all) => all.map(({ name }) => name.toUpperCase()).join('') };
  assert.equal(read(kept, listed(list), counting().form), 'i0;i1;i2;');
  assert.equal(read(kept, listed(list), loud), 'I0I1I2');
  assert.equal(read(kept, listed(items(1, 9), 'other'), loud), 'I9');
  assert.equal(read(kept, listed(list), loud), 'I0I1I2');
});

test('nothing is kept of what has gone', () => {
  const kept = newKept();
  const { form } = counting();
  const list = items(4 * STRETCH);
  read(kept, listed(list), form);
  read(kept, listed(list, 'other'), form);
  const both = kept.bytes;
  assert.ok(both > 0);
  kept.retain(new Set(['other']));
  assert.equal(kept.bytes, both, 'it was asked for just before');
  kept.retain(new Set(['other']));
  assert.equal(kept.bytes, both / 2);
  read(kept, listed(list.slice(0, STRETCH), 'other'), form);
  assert.equal(kept.bytes, plain(list.slice(0, STRETCH)).length);
  read(kept, listed([], 'other'), form);
  assert.equal(kept.bytes, 0);
});

test('values of stretches are kept too, and are those of the items', () => {
  const kept = newKept();
  const sizes: Form<Item, number> = { name: 'sizes', make: (all) => all.length };
  const sum = (list: readonly Item[]): number => {
    const work = kept.values(listed(list), sizes);
    for (;;) {
      const { done, value } = work.next();
      if (done) return value.reduce((total, each) => total + each, 0);
    }
  };
  const list = items(3 * STRETCH + 1);
  assert.equal(sum(list), list.length);
  assert.equal(sum(list.slice(5)), list.length - 5);
});

test('whatever happens to a list, what is read is the list as it is', () => {
  const edit = fc.record({ at: fc.nat(400), remove: fc.nat(80), insert: fc.nat(80) });
  fc.assert(
    fc.property(fc.nat(400), fc.array(edit, { maxLength: 12 }), (size, edits) => {
      const kept = newKept();
      const { form } = counting();
      const list = items(size);
      let fresh = 1_000;
      for (const { at, remove, insert } of edits) {
        list.splice(at, remove, ...items(insert, fresh));
        fresh += insert;
        assert.equal(read(kept, listed(list), form), plain(list));
      }
    }),
    { numRuns: 200 },
  );
});

test('a reader that is still at an older list is not disturbed by a newer one', () => {
  const kept = newKept();
  const { form } = counting();
  const before = items(5 * STRETCH);
  const reading = kept.pieces(listed(before), form);
  let text = Buffer.from(reading.next().value ?? []).toString();
  const after = before.slice(2).reverse();
  assert.equal(read(kept, listed(after), form), plain(after));
  for (const piece of reading) if (piece !== undefined) text += Buffer.from(piece).toString();
  assert.equal(text, plain(before));
});
