import type { Endpoint } from '../endpoint.ts';
import { filesEndpoints } from '../files/endpoints.ts';
import type { FilesTable } from '../files/table.ts';
import { flagsEndpoint, healthEndpoint, processesEndpoint, systemEndpoint, versionEndpoint } from './about.ts';
import { helpEndpoint } from './help.ts';
import { type LogLevel, loggingEndpoint } from './logging.ts';
import { metricsEndpoint } from './metrics.ts';
import { profilerEndpoints } from './profiler.ts';
import { type MetricNames, prometheusEndpoint } from './prometheus.ts';

/** What the endpoints that every daemon has need to know of it. */
export interface DaemonParts {
  /** `master` or `slave(1)`. */
  readonly process: string;
  /** Every flag with its value in text form, defaults included. */
  readonly flags: () => Readonly<Record<string, string>>;
  readonly metrics: () => Readonly<Record<string, number>>;
  readonly metricNames: MetricNames;
  readonly log: LogLevel;
  readonly files: FilesTable;
  /** The libprocess ids that are registered. */
  readonly processes: () => readonly string[];
}

/** A daemon's own endpoints together with those that every daemon has; the help pages cover all of them. */
export function daemonEndpoints(parts: DaemonParts, own: readonly Endpoint[]): readonly Endpoint[] {
  const all: Endpoint[] = [
    ...own,
    healthEndpoint(parts.process),
    flagsEndpoint(parts.process, parts.flags),
    versionEndpoint,
    metricsEndpoint(parts.metrics),
    prometheusEndpoint(parts.metrics, parts.metricNames),
    loggingEndpoint(parts.log),
    systemEndpoint,
    processesEndpoint(parts.processes),
    ...profilerEndpoints,
    ...filesEndpoints(parts.files),
  ];
  all.push(helpEndpoint(() => all));
  return all;
}
