/** More changes than a store takes at once, in as few portions as possible. */
import type { Change } from './store.ts';

/** What every store takes: ZooKeeper the least of all. */
const EVERYWHERE = { count: 500, bytes: 400_000 };

/** In order; a change that is too large by itself comes alone. */
export function* chunksOf(changes: Iterable<Change>, limits = EVERYWHERE): Generator<readonly Change[]> {
  let chunk: Change[] = [];
  let bytes = 0;
  for (const change of changes) {
    const size = change.key.length + (change.value?.length ?? 0);
    if (chunk.length > 0 && (chunk.length >= limits.count || bytes + size > limits.bytes)) {
      yield chunk;
      chunk = [];
      bytes = 0;
    }
    chunk.push(change);
    bytes += size;
  }
  if (chunk.length > 0) yield chunk;
}
