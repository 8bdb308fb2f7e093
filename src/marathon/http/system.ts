/** What is about the process and not about apps: `/ping`, `/metrics`, `/logging`, `/config`. */
import type { Answer } from '../../http/answer.ts';
import type { Request } from '../../http/endpoint.ts';
import { type MetricsSource, metricsView, prometheusText } from '../views/metrics.ts';
import { jsonAnswer, message } from './answers.ts';
import type { MarathonService } from './service.ts';

/** Whether somebody is there. */
export function ping({ headers }: Request): Answer {
  const accept = headers.accept ?? '*/*';
  const noStore = { 'content-type': 'text/plain; charset=utf-8' };
  if (/text\/|\*\/\*/.test(accept)) return { status: 200, headers: noStore, body: 'pong' };
  if (accept.includes('application/json')) return jsonAnswer('pong');
  return { status: 204 };
}

function sourceOf({ state, flags, hub, now, startedAt, leadsSince }: MarathonService): MetricsSource {
  return {
    state,
    prefix: flags.values.metrics_name_prefix,
    eventStreams: hub.size,
    eventBytes: hub.sentBytes,
    now: now(),
    startedAt,
    leadsSince: leadsSince(),
  };
}

export function metrics(service: MarathonService): Answer {
  return jsonAnswer(metricsView(sourceOf(service)));
}

export function prometheus(service: MarathonService): Answer {
  if (!service.flags.values.metrics_prometheus) return message(404, 'Turned off by --disable_metrics_prometheus');
  return {
    status: 200,
    headers: { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' },
    body: prometheusText(sourceOf(service)),
  };
}

/** The flags in force. */
export function config({ flags }: MarathonService): Answer {
  const secret = new Set([
    'http_credentials',
    'mesos_authentication_secret',
    'ssl_keystore_password',
    'metrics_datadog_api_key',
  ]);
  return jsonAnswer(
    Object.fromEntries(Object.entries(flags.texts).map(([name, text]) => [name, secret.has(name) ? '***' : text])),
  );
}
