/** Figures about Marathon, in upstream's names and forms. */

import type { MarathonState } from '../core/state.ts';
import { allGroups } from '../core/tree/groups.ts';

interface Figures {
  readonly counters: Readonly<Record<string, number>>;
  readonly gauges: Readonly<Record<string, number>>;
}

/** What the figures are about. Instants are wall clock, in ms. */
export interface MetricsSource {
  readonly state: MarathonState;
  /** What names begin with. */
  readonly prefix: string;
  readonly eventStreams: number;
  readonly eventBytes: number;
  readonly now: number;
  readonly startedAt: number;
  readonly leadsSince: number | undefined;
}

function figures({ state, eventStreams, eventBytes, now, startedAt, leadsSince }: MetricsSource): Figures {
  let running = 0;
  let staged = 0;
  for (const { condition } of state.instances.values()) {
    if (condition === 'Running') running++;
    if (condition === 'Staging' || condition === 'Starting' || condition === 'Provisioned') staged++;
  }
  const kinds = { app: 0, pod: 0 };
  for (const { kind } of state.current.values()) kinds[kind]++;
  const { counters } = state.launching;
  const { inFlight } = state.kills;
  let attempts = 0;
  for (const kill of inFlight.values()) attempts += kill.attempts;
  return {
    counters: {
      'tasks.launched.counter': counters.launched,
      'mesos.calls.revive.counter': counters.revives,
      'mesos.calls.suppress.counter': counters.suppresses,
      'mesos.offers.incoming.counter': counters.incoming,
      'mesos.offers.used.counter': counters.used,
      'mesos.offers.declined.counter': counters.declined,
      'mesos.offer-operations.launch.counter': counters.launched - counters.launchedGroups,
      'mesos.offer-operations.launch-group.counter': counters.launchedGroups,
      'mesos.offer-operations.reserve.counter': counters.reserved,
      'http.responses.event-stream.size.counter.bytes': eventBytes,
    },
    gauges: {
      'apps.active.gauge': kinds.app,
      'pods.active.gauge': kinds.pod,
      'groups.active.gauge': [...allGroups(state.root)].length,
      'deployments.active.gauge': state.deployments.size,
      'instances.running.gauge': running,
      'instances.staged.gauge': staged,
      'instances.inflight-kills.gauge': inFlight.size,
      'instances.inflight-kill-attempts.gauge': attempts,
      'http.event-streams.active.gauge': eventStreams,
      'uptime.gauge.seconds': (now - startedAt) / 1000,
      'leadership.duration.gauge.seconds': leadsSince === undefined ? 0 : (now - leadsSince) / 1000,
    },
  };
}

/** As `GET /metrics` shows them. */
export function metricsView(source: MetricsSource): object {
  const { counters, gauges } = figures(source);
  const { prefix } = source;
  const named = (values: Readonly<Record<string, number>>, field: string): object =>
    Object.fromEntries(Object.entries(values).map(([name, value]) => [`${prefix}.${name}`, { [field]: value }]));
  return {
    version: '4.0.0',
    counters: named(counters, 'count'),
    gauges: named(gauges, 'value'),
    histograms: {},
    meters: {},
    timers: {},
  };
}

/** As Prometheus reads them: dots and hyphens are underscores. */
export function prometheusText(source: MetricsSource): string {
  const { counters, gauges } = figures(source);
  const { prefix } = source;
  const lines = (values: Readonly<Record<string, number>>, type: string): string[] =>
    Object.entries(values).flatMap(([name, value]) => {
      const metric = `${prefix}.${name}`.replace(/[.-]/g, '_');
      return [`# TYPE ${metric} ${type}`, `${metric} ${value}`];
    });
  return `${[...lines(counters, 'counter'), ...lines(gauges, 'gauge')].join('\n')}\n`;
}
