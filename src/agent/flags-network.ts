/** Flags of isolators that limit networks and disks. None of them is in this build: who sets one is told so at start. */
import { flag, optional } from '../config/flag.ts';
import { bool, bytes, duration, port, string } from '../config/kinds.ts';

const NO_PORT_MAPPING = {
  build: 'ENABLE_PORT_MAPPING_ISOLATOR',
  missing: {
    act: 'warn',
    sentence: 'the isolator network/port_mapping is not in this build: networks are not limited',
  },
} as const;
const NO_NETWORK_PORTS = {
  build: 'ENABLE_NETWORK_PORTS_ISOLATOR',
  missing: { act: 'warn', sentence: 'the isolator network/ports is not in this build: any port may be listened on' },
} as const;
const NO_XFS = {
  build: 'ENABLE_XFS_DISK_ISOLATOR',
  missing: { act: 'warn', sentence: 'the isolator disk/xfs is not in this build: disk use is not limited' },
} as const;

export const networkFlags = {
  ephemeral_ports_per_container: flag(port, '1024', 'Ephemeral ports per container', NO_PORT_MAPPING),
  eth0_name: optional(string, 'Public interface', NO_PORT_MAPPING),
  lo_name: optional(string, 'Loopback interface', NO_PORT_MAPPING),
  egress_rate_limit_per_container: optional(bytes, 'Egress B/s limit', NO_PORT_MAPPING),
  egress_rate_per_cpu: optional(string, 'Egress scaled per cpu, or auto', NO_PORT_MAPPING),
  egress_ceil_limit: optional(bytes, 'Egress burst rate', NO_PORT_MAPPING),
  egress_burst: optional(bytes, 'Egress burst bytes', NO_PORT_MAPPING),
  egress_unique_flow_per_container: flag(bool, 'false', 'One fq_codel flow per container', NO_PORT_MAPPING),
  egress_flow_classifier_parent: flag(string, 'root', 'Tc parent of classifier', NO_PORT_MAPPING),
  ingress_rate_limit_per_container: optional(bytes, 'Ingress B/s limit', NO_PORT_MAPPING),
  ingress_rate_per_cpu: optional(string, 'Ingress scaled per cpu, or auto', NO_PORT_MAPPING),
  ingress_ceil_limit: optional(bytes, 'Ingress burst rate', NO_PORT_MAPPING),
  ingress_burst: optional(bytes, 'Ingress burst bytes', NO_PORT_MAPPING),
  ingress_isolate_existing_containers: flag(
    bool,
    'true',
    'Apply ingress limits to running containers',
    NO_PORT_MAPPING,
  ),
  network_link_speed: optional(bytes, 'Link speed for auto rates', NO_PORT_MAPPING),
  network_enable_socket_statistics_summary: flag(bool, 'false', 'Collect socket summary', NO_PORT_MAPPING),
  network_enable_socket_statistics_details: flag(bool, 'false', 'Collect socket details', NO_PORT_MAPPING),
  network_enable_snmp_statistics: flag(bool, 'false', 'Collect SNMP stats', NO_PORT_MAPPING),
  network_enable_rate_statistics: flag(bool, 'false', 'Collect rate stats', NO_PORT_MAPPING),
  network_rate_statistics_window: optional(duration, 'Rate window', NO_PORT_MAPPING),
  network_rate_statistics_interval: optional(duration, 'Rate sample interval', NO_PORT_MAPPING),
  container_ports_watch_interval: flag(duration, '30secs', 'Network/ports check period', NO_NETWORK_PORTS),
  check_agent_port_range_only: flag(bool, 'false', 'Only police ports in agent range', NO_NETWORK_PORTS),
  container_ports_isolated_range: optional(string, 'Ports range policed', NO_NETWORK_PORTS),
  xfs_project_range: flag(string, '[5000-10000]', 'XFS project id range', NO_XFS),
  xfs_kill_containers: flag(bool, 'false', 'Kill on XFS soft-limit breach', NO_XFS),
  xfs_quota_headroom: flag(bytes, '10MB', 'XFS hard-limit headroom', NO_XFS),
  minimum_egress_rate_limit: optional(bytes, 'Egress lower bound', NO_PORT_MAPPING),
  maximum_egress_rate_limit: optional(bytes, 'Egress upper bound', NO_PORT_MAPPING),
  minimum_ingress_rate_limit: optional(bytes, 'Ingress lower bound', NO_PORT_MAPPING),
  maximum_ingress_rate_limit: optional(bytes, 'Ingress upper bound', NO_PORT_MAPPING),
  enforce_container_ports: flag(bool, 'false', 'Kill on unallocated listening port', NO_NETWORK_PORTS),
} as const;
