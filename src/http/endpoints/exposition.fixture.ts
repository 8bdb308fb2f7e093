import assert from 'node:assert/strict';

/** One line of figures in Prometheus' text format. */
export interface Sample {
  readonly family: string;
  readonly type: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

const TYPE = /^# TYPE ([a-zA-Z_:][a-zA-Z0-9_:]*) (counter|gauge|histogram|summary|untyped)$/;
const SAMPLE = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$/;
const LABEL = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"(,|$)/y;
const NUMBER = /^(?:[+-]?(?:\d+(?:\.\d+)?(?:e[+-]?\d+)?)|NaN|[+-]Inf)$/;

/** Reads text format 0.0.4 strictly: every family once, in one block, with its type in front; no sample twice. */
export function parseExposition(text: string): Sample[] {
  assert.ok(text === '' || text.endsWith('\n'), 'the last line ends with a line feed');
  const samples: Sample[] = [];
  const seen = new Set<string>();
  const types = new Map<string, string>();
  let current = '';
  for (const line of text.split('\n').slice(0, -1)) {
    const head = TYPE.exec(line);
    if (head !== null) {
      assert.ok(!types.has(head[1]!), `${head[1]} has one block`);
      types.set(head[1]!, head[2]!);
      current = head[1]!;
      continue;
    }
    const match = SAMPLE.exec(line);
    assert.ok(match !== null, `a sample: ${line}`);
    const [, family = '', labelText = '', value = ''] = match;
    assert.equal(family, current, `${line} stands under its own type`);
    assert.match(value, NUMBER, line);
    assert.ok(!seen.has(`${family}{${labelText}}`), `${line} is there once`);
    seen.add(`${family}{${labelText}}`);
    samples.push({ family, type: types.get(family)!, labels: parseLabels(labelText), value: Number(value) });
  }
  return samples;
}

function parseLabels(text: string): Record<string, string> {
  const labels: Record<string, string> = {};
  for (LABEL.lastIndex = 0; LABEL.lastIndex < text.length; ) {
    const match = LABEL.exec(text);
    assert.ok(match !== null, `labels: ${text}`);
    assert.ok(!(match[1]! in labels), `one ${match[1]} in ${text}`);
    labels[match[1]!] = match[2]!.replace(/\\(.)/g, (_, char) => (char === 'n' ? '\n' : char));
  }
  return labels;
}
