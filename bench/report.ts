/** How results are shown: a table for people, one JSON object a line for programs. */
import { cpus, totalmem } from 'node:os';
import type { Row } from './statistics.ts';

/** What the figures were measured on. */
export interface MachineShape {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryBytes: number;
  readonly node: string;
  readonly platform: string;
}

export function machineShape(): MachineShape {
  const processors = cpus();
  return {
    cpu: processors[0]?.model.trim() ?? 'unknown CPU',
    cores: processors.length,
    memoryBytes: totalmem(),
    node: process.version,
    platform: `${process.platform} ${process.arch}`,
  };
}

export function formatMachine(shape: MachineShape): string {
  const memory = (shape.memoryBytes / 2 ** 30).toFixed(1);
  return `${shape.cores} x ${shape.cpu}, ${memory} GiB, ${shape.platform}, Node ${shape.node}`;
}

/** One line of `--json`: exactly the fields of a `Row`, in their order. */
export function jsonLine(row: Row): string {
  const { scenario, metric, unit, runs, min, median, max, rss_bytes } = row;
  return JSON.stringify({ scenario, metric, unit, runs, min, median, max, rss_bytes });
}

/** Four significant digits, thousands grouped: enough to compare by eye. */
export function formatNumber(value: number): string {
  const size = Math.abs(value);
  const decimals = size >= 1000 || Number.isInteger(value) ? 0 : size >= 100 ? 1 : size >= 10 ? 2 : 3;
  return value.toLocaleString('en-US', { minimumFractionDigits: decimals, maximumFractionDigits: decimals });
}

const COLUMNS = ['scenario', 'metric', 'unit', 'runs', 'min', 'median', 'max', 'peak RSS'] as const;
/** Texts stand left, numbers right. */
const LEFT = 3;

/** @returns lines with a heading, columns aligned, each ended */
export function formatTable(rows: readonly Row[]): string {
  const cells = rows.map((row) => [
    row.scenario,
    row.metric,
    row.unit,
    String(row.runs),
    formatNumber(row.min),
    formatNumber(row.median),
    formatNumber(row.max),
    `${Math.round(row.rss_bytes / 2 ** 20)} MiB`,
  ]);
  const widths = COLUMNS.map((name, at) => Math.max(name.length, ...cells.map((line) => line[at]!.length)));
  const format = (line: readonly string[]): string =>
    line
      .map((cell, at) => (at < LEFT ? cell.padEnd(widths[at]!) : cell.padStart(widths[at]!)))
      .join('  ')
      .trimEnd();
  return [format(COLUMNS), widths.map((width) => '-'.repeat(width)).join('  '), ...cells.map(format), ''].join('\n');
}
