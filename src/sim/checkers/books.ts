import { checkInvariants } from '../../master/core/invariants.ts';
import type { Observer, SeenMaster } from '../observer.ts';
import { demand } from '../violation.ts';
import type { World } from '../world.ts';

/** The whole books are gone through after every so many steps of the master: it is the dearest of the checks. */
const EVERY = 8;

/** The master's own books: no contradictions, and allocated + offered + available = total on every agent. */
export class BooksChecker implements Observer {
  private readonly world: World;
  private steps = 0;

  constructor(world: World) {
    this.world = world;
  }

  masterStepped(master: SeenMaster): void {
    if (++this.steps % EVERY === 0) this.check(master);
  }

  check(master: SeenMaster): void {
    const problems = checkInvariants(master.core);
    demand(problems.length === 0, () => `the master's books do not add up:\n  ${problems.join('\n  ')}`);
    // One that was deposed and does not know it yet has a registry of its own in mind.
    if (!master.reigning || !master.informed) return;
    for (const id of master.core.state.agents.keys()) {
      demand(
        this.world.store.values.has(`agents/${id}`),
        () => `agent ${id} is registered, but the registry does not say so`,
      );
    }
  }
}
