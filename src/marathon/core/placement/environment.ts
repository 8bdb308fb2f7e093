/** What the environment of a task says about where it is and what it is. */

import type { Environment, Environment_Variable } from '../../../wire/v1.ts';
import { writeInstant } from '../../definition/instant.ts';
import type { App, Env } from '../../definition/types.ts';

/** Longer label names and values are not told. */
const MAX_NAME = 493;
const MAX_VALUE = 512;

export interface PortFacts {
  /** As the app asked for it; 0 for any. */
  readonly requested: number;
  readonly name?: string;
  /** The port that the task has. */
  readonly effective: number;
}

/** Ports by number, by name, and all together. @param prefix of all these names */
export function portVariables(ports: readonly PortFacts[], prefix: string): Record<string, string> {
  const variables: Record<string, string> = {};
  if (ports.length === 0) return variables;
  ports.forEach(({ requested, name, effective }, at) => {
    variables[`${prefix}PORT${at}`] = String(effective);
    variables[`${prefix}PORT_${requested === 0 ? effective : requested}`] = String(effective);
    if (name !== undefined) variables[`${prefix}PORT_${name.toUpperCase()}`] = String(effective);
  });
  variables[`${prefix}PORT`] = String(ports[0]!.effective);
  variables[`${prefix}PORTS`] = ports.map(({ effective }) => effective).join(',');
  return variables;
}

/** What the task belongs to. */
export function contextVariables(app: App, taskId: string, enforceRole: boolean): Record<string, string> {
  const image = app.container?.type === 'DOCKER' ? app.container.docker?.image : undefined;
  return {
    MESOS_TASK_ID: taskId,
    MARATHON_APP_ID: app.id,
    MARATHON_APP_VERSION: writeInstant(app.version),
    ...(image !== undefined && { MARATHON_APP_DOCKER_IMAGE: image }),
    MARATHON_APP_RESOURCE_CPUS: decimal(app.cpus),
    MARATHON_APP_RESOURCE_MEM: decimal(app.mem),
    MARATHON_APP_RESOURCE_DISK: decimal(app.disk),
    MARATHON_APP_RESOURCE_GPUS: String(app.gpus),
    MARATHON_APP_ENFORCE_GROUP_ROLE: enforceRole ? 'TRUE' : 'FALSE',
    ...labelVariables(app.labels),
  };
}

/** Labels, under names that a shell takes. */
export function labelVariables(labels: Readonly<Record<string, string>>): Record<string, string> {
  const told = Object.entries(labels).filter(([key, value]) => key.length < MAX_NAME && value.length < MAX_VALUE);
  const variables: Record<string, string> = {
    MARATHON_APP_LABELS: told.map(([key]) => escapedName(key)).join(' '),
  };
  for (const [key, value] of told) variables[`MARATHON_APP_LABEL_${escapedName(key)}`] = value;
  return variables;
}

/** As part of the name of a variable. */
export function escapedName(key: string): string {
  return key.replace(/[^a-zA-Z0-9_]+/g, '_').toUpperCase();
}

/** Whole numbers have a decimal too, as upstream writes them. */
export function decimal(value: number): string {
  return Number.isInteger(value) ? `${value}.0` : String(value);
}

/**
 * All variables of a task.
 * @param secrets by name: where the value comes from
 * @param winner whose value counts where both name a variable: of apps the user's own, of pods what is told
 */
export function environment(
  variables: Readonly<Record<string, string>>,
  own: Env,
  secrets: Readonly<Record<string, { readonly source: string }>>,
  winner: 'own' | 'told' = 'own',
): Environment {
  const all: Record<string, Environment_Variable> = {};
  for (const [name, value] of Object.entries(variables)) all[name] = { name, type: 'VALUE', value };
  for (const [name, value] of Object.entries(own)) {
    if (winner === 'told' && name in all) continue;
    all[name] =
      typeof value === 'string'
        ? { name, type: 'VALUE', value }
        : {
            name,
            type: 'SECRET',
            secret: { type: 'REFERENCE', reference: { name: secrets[value.secret]?.source ?? value.secret } },
          };
  }
  return { variables: Object.values(all) };
}
