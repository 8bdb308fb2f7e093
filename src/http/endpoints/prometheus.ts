import { parseDuration } from '../../base/duration.ts';
import { type Answer, badRequest } from '../answer.ts';
import type { Endpoint } from '../endpoint.ts';
import type { MetricsSource } from './metrics.ts';

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
export function prometheusEndpoint(snapshot: MetricsSource, names: MetricNames): Endpoint {
  const writer = new PrometheusWriter(names);
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
    handle: async ({ query }): Promise<Answer> => {
      const timeout = query.get('timeout');
      const duration = timeout === undefined ? undefined : parseDuration(timeout);
      if (duration?.ok === false) return badRequest(`Invalid timeout '${timeout}': ${duration.error}.\n`);
      return { status: 200, headers: { 'content-type': CONTENT_TYPE }, body: writer.write(await snapshot()) };
    },
  };
}

/** Writes metrics in the text format, version 0.0.4: families sorted by name, each with its type and its samples. */
export class PrometheusWriter {
  readonly #names: MetricNames;
  /** Names are the same from one answer to the next, but for frameworks and roles that come and go. */
  #known = new Map<string, Described>();

  constructor(names: MetricNames) {
    this.#names = names;
  }

  write(metrics: Readonly<Record<string, number>>): string {
    const known = new Map<string, Described>();
    const families = new Map<string, string>();
    for (const name of Object.keys(metrics).sort()) {
      const described = this.#known.get(name) ?? describe(name, this.#names);
      known.set(name, described);
      const { family, type, sample } = described;
      const before = families.get(family) ?? `# TYPE ${family} ${type}\n`;
      families.set(family, `${before}${sample} ${valueText(metrics[name]!)}\n`);
    }
    this.#known = known;
    return [...families.keys()]
      .sort()
      .map((family) => families.get(family))
      .join('');
  }
}

interface Described {
  readonly family: string;
  readonly type: MetricType;
  /** The family with its labels. */
  readonly sample: string;
}

type Labels = readonly (readonly [name: string, value: string])[];

/** `…_ms/p99` and its kin: figures of a window. */
const WINDOW = /^(?<timer>.*_ms)\/(?:(?<figure>count|min|max)|p(?<percentile>\d+))$/;

function describe(name: string, { rules, counters }: MetricNames): Described {
  const window = WINDOW.exec(name)?.groups;
  if (window?.timer !== undefined) {
    const family = familyName(window.timer);
    if (window.figure !== undefined) return described(`${family}_${window.figure}`, 'gauge', []);
    const quantile = Number(`0.${window.percentile}`);
    return described(`${family}_percentile`, 'gauge', [['quantile', String(quantile)]]);
  }
  for (const { pattern, family, type, encoded } of rules) {
    const match = pattern.exec(name);
    if (match === null) continue;
    const filled = family.replace(/\$(\d)/g, (_, index) => match[Number(index)] ?? '');
    const labels = Object.entries(match.groups ?? {}).map(
      ([label, value]) => [label, label === encoded ? decoded(value) : value] as const,
    );
    return described(familyName(filled), type, labels);
  }
  return described(familyName(name), counters.has(name) ? 'counter' : 'gauge', []);
}

function described(family: string, type: MetricType, labels: Labels): Described {
  return { family, type, sample: `${family}${labelText(labels)}` };
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

function labelText(labels: Labels): string {
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
