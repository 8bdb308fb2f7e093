/** Finds scenarios: each file in scenarios/ is one, exported as `scenario` and named as its file. */
import { readdirSync } from 'node:fs';
import type { Scenario } from './scenario.ts';

const FOLDER = new URL('scenarios/', import.meta.url);

export function scenarioNames(): string[] {
  return readdirSync(FOLDER)
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'))
    .map((file) => file.slice(0, -'.ts'.length))
    .sort();
}

/** @throws Error when the file does not hold a scenario of that name */
export async function loadScenario(name: string): Promise<Scenario> {
  const { scenario } = (await import(new URL(`${name}.ts`, FOLDER).href)) as { scenario?: Scenario };
  if (scenario?.name !== name) throw new Error(`bench/scenarios/${name}.ts must export a scenario named '${name}'`);
  return scenario;
}
