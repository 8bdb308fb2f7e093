/** `meseta marathon schema`. */
import { appSchema, groupSchema, podSchema } from '../../marathon/definition/json-schema.ts';

export async function printSchema(what: string): Promise<number> {
  const schemas: Readonly<Record<string, () => unknown>> = { app: appSchema, pod: podSchema, group: groupSchema };
  const schema = schemas[what];
  if (schema === undefined)
    throw new Error(`there is no schema of '${what}', but of ${Object.keys(schemas).join(', ')}`);
  process.stdout.write(`${JSON.stringify(schema(), undefined, 2)}\n`);
  return 0;
}
