import { parseDuration } from '../../base/duration.ts';
import { type Answer, badRequest } from '../answer.ts';
import type { Endpoint } from '../endpoint.ts';

export type MetricType = 'counter' | 'gauge';

/** A metric whose name has something variable in it, which becomes labels. */
export interface MetricRule {
  /** Of the whole name, without the suffix that `Timings` adds. Named groups become labels; the others join the family. */
  readonly pattern: RegExp;
  /** The name of the family, without `mesos_`. Unnamed groups are put in for `$1`, `$2`, … */
  readonly family: string;
  readonly type: MetricType;
  /** The label whose value is percent-encoded in the name. */
  readonly encoded?: string;
}

/** How a daemon's metrics are told to Prometheus. */
export interface MetricNames {
  /** The first that fits is taken. */
  readonly rules: readonly MetricRule[];
  /** The names of the counters among those that no rule is about. The others are gauges. */
  readonly counters: ReadonlySet<string>;
}

const CONTENT_TYPE = 'text/plain; version=0.0.4';

/**
 * `/metrics`: the figures of `/metrics/snapshot` in Prometheus' text format. Upstream has no such endpoint.
 * @param snapshot every metric by name
 */
export function prometheusEndpoint(snapshot: () => Readonly<Record<string, number>>, names: MetricNames): Endpoint {
  return {
    process: 'metrics',
    path: '/',
    realm: 'readonly',
    parameters: [
      {
        name: 'timeout',
        description: 'How long to wait for metrics, as in 5secs. Taken for compatibility: all are there at once.',
      },
    ],
    summary: 'Provides the current metrics in the text format of Prometheus.',
    description:
      'The same figures as /metrics/snapshot. Slashes become underscores behind mesos_; what names a framework, a role, a principal, a reason or a percentile becomes a label.',
    authorization: ['GET_ENDPOINT_WITH_PATH'],
    handle: ({ query }): Answer => {
      const timeout = query.get('timeout');
      const duration = timeout === undefined ? undefined : parseDuration(timeout);
      if (duration?.ok === false) return badRequest(`Invalid timeout '${timeout}': ${duration.error}.\n`);
      return { status: 200, headers: { 'content-type': CONTENT_TYPE }, body: prometheusText(snapshot(), names) };
    },
  };
}

interface Family {
  readonly type: MetricType;
  readonly samples: string[];
}

/** Metrics in the text format, version 0.0.4: families sorted by name, each with its type and its samples. */
export function prometheusText(metrics: Readonly<Record<string, number>>, names: MetricNames): string {
  const families = new Map<string, Family>();
  for (const name of Object.keys(metrics).sort()) {
    const { family, type, labels } = describe(name, names);
    const known = families.get(family) ?? { type, samples: [] };
    families.set(family, known);
    known.samples.push(`${family}${labelText(labels)} ${valueText(metrics[name]!)}`);
  }
  const lines = [...families]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([family, { type, samples }]) => [`# TYPE ${family} ${type}`, ...samples]);
  return lines.length === 0 ? '' : `${lines.join('\n')}\n`;
}

interface Described {
  readonly family: string;
  readonly type: MetricType;
  readonly labels: readonly (readonly [name: string, value: string])[];
}

/** `…_ms/p99` and its kin: figures of a window. */
const WINDOW = /^(?<timer>.*_ms)\/(?:(?<figure>count|min|max)|p(?<percentile>\d+))$/;

function describe(name: string, { rules, counters }: MetricNames): Described {
  const window = WINDOW.exec(name)?.groups;
  if (window?.timer !== undefined) {
    const family = familyName(window.timer);
    if (window.figure !== undefined) return { family: `${family}_${window.figure}`, type: 'gauge', labels: [] };
    const quantile = Number(`0.${window.percentile}`);
    return { family: `${family}_percentile`, type: 'gauge', labels: [['quantile', String(quantile)]] };
  }
  for (const { pattern, family, type, encoded } of rules) {
    const match = pattern.exec(name);
    if (match === null) continue;
    const filled = family.replace(/\$(\d)/g, (_, index) => match[Number(index)] ?? '');
    const labels = Object.entries(match.groups ?? {}).map(
      ([label, value]) => [label, label === encoded ? decoded(value) : value] as const,
    );
    return { family: familyName(filled), type, labels };
  }
  return { family: familyName(name), type: counters.has(name) ? 'counter' : 'gauge', labels: [] };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function familyName(name: string): string {
  return `mesos_${name.replace(/[^a-zA-Z0-9_]/g, '_')}`;
}

function labelText(labels: Described['labels']): string {
  if (labels.length === 0) return '';
  return `{${labels.map(([name, value]) => `${name}="${escapeLabel(value)}"`).join(',')}}`;
}

function escapeLabel(value: string): string {
  return value.replace(/[\\"\n]/g, (char) => (char === '\n' ? '\\n' : `\\${char}`));
}

function valueText(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return '+Inf';
  if (value === Number.NEGATIVE_INFINITY) return '-Inf';
  return String(value);
}
