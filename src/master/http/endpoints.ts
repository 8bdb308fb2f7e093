import type { Endpoint } from '../../http/endpoint.ts';
import {
  flagsEndpoint,
  healthEndpoint,
  processesEndpoint,
  systemEndpoint,
  versionEndpoint,
} from '../../http/endpoints/about.ts';
import { helpEndpoint } from '../../http/endpoints/help.ts';
import { loggingEndpoint } from '../../http/endpoints/logging.ts';
import { metricsEndpoint } from '../../http/endpoints/metrics.ts';
import { profilerEndpoints } from '../../http/endpoints/profiler.ts';
import { prometheusEndpoint } from '../../http/endpoints/prometheus.ts';
import { filesEndpoints } from '../../http/files/endpoints.ts';
import { MASTER_COUNTERS, MASTER_METRIC_RULES } from '../views/metric-names.ts';
import { changingEndpoints } from './changes.ts';
import { operatorEndpoint } from './operator.ts';
import { frontPageEndpoint, redirectEndpoint } from './pages.ts';
import { readingEndpoints } from './reading.ts';
import { schedulerEndpoint } from './scheduler.ts';
import { type MasterService, PROCESS } from './service.ts';
import { whyEndpoint } from './why.ts';

/** Every endpoint of the master. @param processes the libprocess ids that messages can be sent to */
export function masterEndpoints(service: MasterService, processes: () => readonly string[]): readonly Endpoint[] {
  const endpoints: Endpoint[] = [
    healthEndpoint(PROCESS),
    flagsEndpoint(PROCESS, () => service.program.flags),
    redirectEndpoint(service),
    ...readingEndpoints(service),
    ...changingEndpoints(service),
    operatorEndpoint(service),
    schedulerEndpoint(service),
    versionEndpoint,
    systemEndpoint,
    metricsEndpoint(() => service.metrics()),
    whyEndpoint(service),
    prometheusEndpoint(() => service.metrics(), { rules: MASTER_METRIC_RULES, counters: MASTER_COUNTERS }),
    loggingEndpoint(service.log),
    ...filesEndpoints(service.files),
    ...profilerEndpoints,
    processesEndpoint(processes),
  ];
  endpoints.push(
    frontPageEndpoint(service, () => endpoints),
    helpEndpoint(() => endpoints),
  );
  return endpoints;
}
