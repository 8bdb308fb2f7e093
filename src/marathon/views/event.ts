/** What the event stream says, as JSON. */
import type { Plan } from '../core/model.ts';
import type { Published } from '../core/published.ts';
import { writeApp } from '../definition/app-form.ts';
import { writeInstant } from '../definition/instant.ts';
import { writePod } from '../definition/pod-form.ts';
import { actionView, planView } from './deployment.ts';

/** One event as one line of JSON. */
export function eventText({ eventType, timestamp, fields }: Published): string {
  return JSON.stringify({ ...shown(fields), eventType, timestamp: writeInstant(timestamp) });
}

function shown(fields: object): object {
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, valueView(name, value)]));
}

function valueView(name: string, value: unknown): unknown {
  switch (name) {
    case 'plan':
      return planView(value as Plan);
    case 'currentStep':
      return { actions: (value as Parameters<typeof actionView>[0][]).map(actionView) };
    case 'version':
    case 'runSpecVersion':
      return writeInstant(value as number);
    case 'appDefinition': {
      const spec = value as Parameters<typeof writeApp>[0] | Parameters<typeof writePod>[0];
      return spec.kind === 'app' ? writeApp(spec) : writePod(spec);
    }
    default:
      return value;
  }
}
