import { Scheduler } from 'meseta/scheduler';

let launched = false;

const scheduler = new Scheduler({
  master: process.env.MESETA_MASTER ?? '127.0.0.1:5050',
  framework: { user: process.env.USER ?? 'root', name: 'first-framework' },
  handlers: {
    subscribed: (id) => console.log(`subscribed as ${id}`),
    offers: async ([offer, ...others]) => {
      if (others.length > 0) await scheduler.decline(others.map(({ id }) => id));
      if (!offer || launched) return;
      launched = true;
      await scheduler.launch(offer, [
        {
          name: 'hello',
          task_id: { value: 'hello-1' },
          command: { value: 'echo hello from $(hostname)' },
          resources: [
            { name: 'cpus', type: 'SCALAR', scalar: { value: 0.1 } },
            { name: 'mem', type: 'SCALAR', scalar: { value: 32 } },
          ],
        },
      ]);
    },
    update: async ({ state, message }) => {
      console.log(state, message ?? '');
      if (state !== 'TASK_STARTING' && state !== 'TASK_RUNNING') setImmediate(() => scheduler.teardown());
    },
  },
});

await scheduler.run();
