/** JSON Schemas of the documents, for editors that complete and check while one types. */
import { appKind } from './app-fields.ts';
import { isObject, type JsonSchema, type Kind } from './kind.ts';
import { podKind } from './pod-fields.ts';
import { groupKind } from './read-group.ts';

const DIALECT = 'https://json-schema.org/draft/2020-12/schema';

/** Documents may name their schema in `$schema`: it is ignored, like every field that is not known. */
function schemaOf(title: string, { schema }: Kind<unknown>): JsonSchema {
  const properties = isObject(schema.properties) ? schema.properties : {};
  return {
    $schema: DIALECT,
    title,
    ...schema,
    properties: { $schema: { type: 'string', description: 'Where this schema is, for editors.' }, ...properties },
  };
}

export function appSchema(): JsonSchema {
  return schemaOf('A Marathon app', appKind);
}

export function podSchema(): JsonSchema {
  return schemaOf('A Marathon pod', podKind);
}

export function groupSchema(): JsonSchema {
  return schemaOf('A Marathon group', groupKind);
}
