import assert from 'node:assert/strict';
import { test } from 'node:test';
import { serve } from '../testing.fixture.ts';
import { parseExposition } from './exposition.fixture.ts';
import { metricsEndpoint } from './metrics.ts';
import { type MetricNames, PrometheusWriter, prometheusEndpoint } from './prometheus.ts';

const prometheusText = (metrics: Record<string, number>): string => new PrometheusWriter(NAMES).write(metrics);

const NAMES: MetricNames = {
  rules: [
    { pattern: /^m\/(?<role>.*)\/share$/s, family: 'm_share', type: 'gauge' },
    { pattern: /^f\/(?<name>[^/]*)\/(calls)$/, family: 'f_$2', type: 'counter', encoded: 'name' },
  ],
  counters: new Set(['m/runs']),
};

test('every figure is there with its type, slashes are underscores, and windows have quantiles', () => {
  const samples = parseExposition(
    prometheusText({
      'm/runs': 7,
      'm/cpus_total': 1.5,
      'm/run_ms': 2,
      'm/run_ms/count': 3,
      'm/run_ms/p50': 1,
      'm/run_ms/p999': 4,
      'm/run_ms/p90': 3,
    }),
  );
  assert.deepEqual(
    samples.map(({ family, type, labels, value }) => [family, type, labels, value]),
    [
      ['mesos_m_cpus_total', 'gauge', {}, 1.5],
      ['mesos_m_run_ms', 'gauge', {}, 2],
      ['mesos_m_run_ms_count', 'gauge', {}, 3],
      ['mesos_m_run_ms_percentile', 'gauge', { quantile: '0.5' }, 1],
      ['mesos_m_run_ms_percentile', 'gauge', { quantile: '0.9' }, 3],
      ['mesos_m_run_ms_percentile', 'gauge', { quantile: '0.999' }, 4],
      ['mesos_m_runs', 'counter', {}, 7],
    ],
  );
});

test('what somebody else chose is a label, whatever characters it has', () => {
  const role = 'a/b"c\\d\ne}{,=';
  const samples = parseExposition(
    prometheusText({ [`m/${role}/share`]: 0.5, 'f/a%2Fb%20c/calls': 2, 'f/%ZZ/calls': 1 }),
  );
  assert.deepEqual(
    samples.map(({ labels }) => labels),
    [{ name: '%ZZ' }, { name: 'a/b c' }, { role }],
  );
});

test('numbers that are not finite are written as Prometheus reads them', () => {
  assert.equal(
    prometheusText({ a: Number.NaN, b: Number.POSITIVE_INFINITY, c: Number.NEGATIVE_INFINITY, d: 1e21 }),
    '# TYPE mesos_a gauge\nmesos_a NaN\n# TYPE mesos_b gauge\nmesos_b +Inf\n# TYPE mesos_c gauge\nmesos_c -Inf\n' +
      '# TYPE mesos_d gauge\nmesos_d 1e+21\n',
  );
  assert.equal(prometheusText({}), '');
});

test('a writer forgets the names of what is gone', () => {
  const writer = new PrometheusWriter(NAMES);
  const first = writer.write({ 'm/a/share': 1, 'm/b/share': 2 });
  assert.equal(parseExposition(first).length, 2);
  assert.deepEqual(
    parseExposition(writer.write({ 'm/b/share': 3 })).map(({ labels, value }) => [labels.role, value]),
    [['b', 3]],
  );
  assert.equal(writer.write({ 'm/a/share': 1, 'm/b/share': 2 }), first);
});

test('/metrics stands beside /metrics/snapshot, with its own content type', async (t) => {
  const metrics = () => ({ 'm/runs': 7 });
  const { ask } = await serve(t, [metricsEndpoint(metrics), prometheusEndpoint(metrics, NAMES)]);
  for (const path of ['/metrics', '/metrics/', '/metrics?timeout=5secs']) {
    const told = await ask('GET', path);
    assert.deepEqual([told.status, told.headers['content-type']], [200, 'text/plain; version=0.0.4'], path);
    assert.equal(told.body, '# TYPE mesos_m_runs counter\nmesos_m_runs 7\n');
  }
  assert.equal((await ask('GET', '/metrics/snapshot')).body, '{"m/runs":7}');
  assert.equal((await ask('GET', '/metrics?timeout=x')).status, 400);
  assert.equal((await ask('GET', '/metrics/other')).status, 404);
});
