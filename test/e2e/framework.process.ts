/**
 * A framework as a process, for tests that cut its host off: `node framework.process.ts MASTER COMMAND`. It launches one
 * task on the first offer, asks for its state every now and then, and writes what it hears as lines of JSON.
 */
import { Scheduler } from '../../src/sdk/scheduler.ts';
import { smallTask } from './framework.fixture.ts';

const [master = '', command = ''] = process.argv.slice(2);
const ASK_EVERY = 500;

const say = (what: object): void => console.log(JSON.stringify(what));
let launched = false;

const scheduler = new Scheduler({
  master,
  framework: { user: 'root', name: 'far', checkpoint: true, failover_timeout: 60 },
  reconnect: { minimum: 20, maximum: 200 },
  handlers: {
    subscribed: (id) => say({ subscribed: id }),
    disconnected: (reason) => say({ disconnected: reason }),
    update: ({ task_id, state, uuid }) => say({ task: task_id.value, state, isAnswer: uuid === undefined }),
    offers: async ([offer, ...others], self) => {
      if (offer === undefined) return;
      if (launched) {
        await self.decline([offer, ...others].map(({ id }) => id));
        return;
      }
      launched = true;
      await self.launch(offer, [smallTask(offer, 'task', command)]);
    },
  },
});
// Somebody who only listens learns late that nobody speaks any more.
setInterval(() => void scheduler.reconcile().catch(() => {}), ASK_EVERY).unref();
process.once('SIGTERM', () => scheduler.stop());
await scheduler.run();
