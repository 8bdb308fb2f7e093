import { COUNTERS } from '../core/counters.ts';

/*
 * What monitoring systems that have labels are told: where the name of a metric carries a framework, a role or the like,
 * that is a label; named groups are labels, numbered ones stay in the name.
 */

const counter = 'counter';
const gauge = 'gauge';
const FRAMEWORK = '^master/frameworks/(?<framework>[^/]*)/(?<framework_id>[^/]+)';

/** The metrics of the master with something variable in their names. */
export const MASTER_METRIC_RULES = [
  {
    pattern: new RegExp(`${FRAMEWORK}/roles/(?<role>.+)/suppressed$`),
    family: 'master_framework_role_suppressed',
    type: gauge,
    encoded: 'framework',
  },
  {
    pattern: new RegExp(`${FRAMEWORK}/tasks/active/task_(?<state>[a-z_]+)$`),
    family: 'master_framework_tasks_active',
    type: gauge,
    encoded: 'framework',
  },
  {
    pattern: new RegExp(`${FRAMEWORK}/tasks/terminal/task_(?<state>[a-z_]+)$`),
    family: 'master_framework_tasks_terminal',
    type: counter,
    encoded: 'framework',
  },
  {
    pattern: new RegExp(`${FRAMEWORK}/offers/([a-z]+)$`),
    family: 'master_framework_offers_$3',
    type: counter,
    encoded: 'framework',
  },
  {
    pattern: new RegExp(`${FRAMEWORK}/(calls|events|operations)/(?<type>[a-z_]+)$`),
    family: 'master_framework_$3_by_type',
    type: counter,
    encoded: 'framework',
  },
  {
    pattern: new RegExp(`${FRAMEWORK}/(calls|events|operations)$`),
    family: 'master_framework_$3',
    type: counter,
    encoded: 'framework',
  },
  {
    pattern: new RegExp(`${FRAMEWORK}/subscribed$`),
    family: 'master_framework_subscribed',
    type: gauge,
    encoded: 'framework',
  },
  {
    pattern: /^master\/task_(?<state>[a-z_]+)\/source_(?<source>[a-z_]+)\/reason_(?<reason>[a-z_0-9]+)$/,
    family: 'master_task_states',
    type: counter,
  },
  {
    pattern: /^master\/slave_removals\/reason_(?<reason>[a-z]+)$/,
    family: 'master_slave_removals_by_reason',
    type: counter,
  },
  { pattern: /^master\/operations\/total$/, family: 'master_operations_total', type: gauge },
  { pattern: /^master\/operations\/(?<state>[a-z_]+)$/, family: 'master_operations', type: gauge },
  {
    pattern: /^master\/operations\/(?<type>[a-z_]+)\/total$/,
    family: 'master_operations_by_type_total',
    type: gauge,
  },
  {
    pattern: /^master\/operations\/(?<type>[a-z_]+)\/(?<state>[a-z_]+)$/,
    family: 'master_operations_by_type',
    type: gauge,
  },
  {
    pattern: /^frameworks\/(?<principal>.*)\/(messages_received|messages_processed)$/s,
    family: 'frameworks_$2',
    type: counter,
  },
  {
    pattern: /^allocator\/mesos\/resources\/(?<resource>[^/]+)\/(total|offered_or_allocated)$/,
    family: 'allocator_resources_$2',
    type: gauge,
  },
  {
    pattern:
      /^allocator\/mesos\/quota\/roles\/(?<role>.*)\/resources\/(?<resource>[^/]+)\/(guarantee|limit|consumed|offered_or_allocated)$/,
    family: 'allocator_quota_$3',
    type: gauge,
  },
  {
    pattern: /^allocator\/mesos\/offer_filters\/roles\/(?<role>.+)\/active$/,
    family: 'allocator_offer_filters_active',
    type: gauge,
  },
  {
    pattern: /^allocator\/mesos\/roles\/(?<role>.+)\/shares\/dominant$/,
    family: 'allocator_role_dominant_share',
    type: gauge,
  },
] as const;

/** The master's counters under their own names. */
export const MASTER_COUNTERS: ReadonlySet<string> = new Set([
  ...COUNTERS.map((name) => `master/${name}`),
  'master/dropped_messages',
  'master/messages_authenticate',
  'master/http_cache_hits',
  'allocator/mesos/allocation_runs',
]);
