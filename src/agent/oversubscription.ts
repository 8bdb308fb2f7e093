/** Who says what can be offered twice: upstream's estimators are modules, of which one is built in here. */
import { err, ok, type Result } from '../base/result.ts';
import { parseResources } from '../resources/parse.ts';
import type { Resource } from '../wire/v1.ts';

/** Upstream's name for the estimator that always says the same. */
export const FIXED_ESTIMATOR = 'org_apache_mesos_FixedResourceEstimator';

interface Module {
  readonly name: string;
  readonly parameters: ReadonlyMap<string, string>;
}

/** For `--modules`: only what is built in can be named. @returns what is wrong */
export function unknownModules(value: Readonly<Record<string, unknown>>): string | undefined {
  const modules = readModules(value);
  if (!modules.ok) return modules.error;
  const stranger = modules.value.find(({ name }) => name !== FIXED_ESTIMATOR);
  if (stranger === undefined) return undefined;
  return `C++ modules cannot be loaded, so there is no '${stranger.name}'; ${FIXED_ESTIMATOR} is built in`;
}

/** What `--resource_estimator` and `--modules` say together. @returns revocable resources; undefined without estimator */
export function oversubscribedResources(
  estimator: string | undefined,
  modules: Readonly<Record<string, unknown>> | undefined,
): Result<readonly Resource[] | undefined> {
  if (estimator === undefined) return ok(undefined);
  const read = readModules(modules ?? {});
  if (!read.ok) return read;
  const text = read.value.find(({ name }) => name === estimator)?.parameters.get('resources');
  if (text === undefined)
    return err(
      `--resource_estimator=${estimator} needs its parameter 'resources': add --modules={"libraries": [{"modules": [{"name": "${estimator}", "parameters": [{"key": "resources", "value": "cpus:2"}]}]}]}`,
    );
  const resources = parseResources(text, '*');
  if (!resources.ok) return err(`--modules: the parameter 'resources' of ${estimator}: ${resources.error}`);
  return ok(resources.value.toProto().map((resource) => ({ ...resource, revocable: {} })));
}

/** `{"libraries": [{"modules": [{"name", "parameters": [{"key", "value"}]}]}]}` */
function readModules(value: Readonly<Record<string, unknown>>): Result<readonly Module[]> {
  const modules: Module[] = [];
  for (const library of listOf(value.libraries)) {
    for (const { name, parameters } of listOf(library.modules)) {
      if (typeof name !== 'string') return err("every one of libraries[].modules[] needs a 'name'");
      const pairs = listOf(parameters).map(({ key, value }) => [String(key), String(value)] as const);
      modules.push({ name, parameters: new Map(pairs) });
    }
  }
  return ok(modules);
}

function listOf(value: unknown): Readonly<Record<string, unknown>>[] {
  if (!Array.isArray(value)) return [];
  return value.filter((entry) => typeof entry === 'object' && entry !== null);
}
