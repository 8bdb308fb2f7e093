import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseAttributes } from '../../resources/attributes.ts';
import { parseResources } from '../../resources/parse.ts';
import type { AgentInfo } from '../../wire/v1.ts';
import { reconfigure } from './reconfiguration.ts';

interface Look {
  readonly hostname?: string;
  readonly port?: number;
  readonly zone?: string;
  readonly resources?: string;
  readonly attributes?: string;
}

function info({ hostname = 'h', port = 5051, zone, resources = 'cpus:2', attributes = '' }: Look): AgentInfo {
  const [parsed, words] = [parseResources(resources), parseAttributes(attributes)];
  assert.ok(parsed.ok && words.ok);
  const domain = { fault_domain: { region: { name: 'r' }, zone: { name: zone ?? '' } } };
  return {
    hostname,
    port,
    resources: parsed.value.toProto(),
    attributes: words.value,
    ...(zone !== undefined && { domain }),
  };
}

/** A change, and what each policy says of it; undefined: it is allowed. */
const CASES: readonly (readonly [
  what: string,
  before: Look,
  now: Look,
  equal: RegExp | undefined,
  additive: RegExp | undefined,
])[] = [
  ['nothing', { attributes: 'a:1;b:x' }, { attributes: 'b:x;a:1' }, undefined, undefined],
  ['nothing of what is said twice', { attributes: 'a:x;a:x' }, { attributes: 'a:x;a:x' }, undefined, undefined],
  ['the hostname', {}, { hostname: 'i' }, /hostname changed from 'h' to 'i'/, /hostname changed/],
  ['the port', {}, { port: 5052 }, /port changed from '5051' to '5052'/, /port changed/],
  ['a domain that is new', {}, { zone: 'z' }, /domain changed from '' to '.*z/, undefined],
  ['a domain that is gone', { zone: 'z' }, {}, /domain changed/, /domain changed from '.*z.*' to ''/],
  ['another domain', { zone: 'z' }, { zone: 'y' }, /domain changed/, /domain changed/],
  ['more of a scalar', {}, { resources: 'cpus:3' }, /resources changed from 'cpus.*2' to 'cpus.*3'/, undefined],
  [
    'less of a scalar',
    {},
    { resources: 'cpus:1' },
    /resources changed/,
    /resource cpus was 'cpus.*2' and has become 'cpus.*1'/,
  ],
  ['a new resource', {}, { resources: 'cpus:2;mem:9' }, /resources changed/, undefined],
  ['one less', { resources: 'cpus:2;mem:9' }, {}, /resources changed/, /resource mem was 'mem.*9' and is gone/],
  [
    'another role',
    { resources: 'cpus(a):2' },
    { resources: 'cpus(b):2' },
    /resources/,
    /resource cpus was .*a.* become .*b/,
  ],
  ['more ports', { resources: 'ports:[1-5]' }, { resources: 'ports:[1-9]' }, /resources/, undefined],
  ['other ports', { resources: 'ports:[1-5]' }, { resources: 'ports:[2-9]' }, /resources/, /resource ports was .*1-5/],
  ['more of a set', { resources: 'disks:{a}' }, { resources: 'disks:{a,b}' }, /resources/, undefined],
  ['less of a set', { resources: 'disks:{a,b}' }, { resources: 'disks:{a}' }, /resources/, /resource disks/],
  ['a new attribute', {}, { attributes: 'rack:a' }, /attributes changed from '' to 'rack=a'/, undefined],
  ['one less attribute', { attributes: 'rack:a' }, {}, /attributes changed/, /attribute rack was 'rack=a' and is gone/],
  [
    'another text',
    { attributes: 'rack:a' },
    { attributes: 'rack:b' },
    /attributes/,
    /rack was 'rack=a' and has become 'rack=b'/,
  ],
  ['a greater scalar', { attributes: 'n:1' }, { attributes: 'n:2' }, /attributes/, /attribute n was 'n=1'/],
  ['wider ranges', { attributes: 'p:[1-5]' }, { attributes: 'p:[1-9]' }, /attributes/, undefined],
  [
    'narrower ranges',
    { attributes: 'p:[1-5]' },
    { attributes: 'p:[1-3]' },
    /attributes/,
    /attribute p was 'p=\[1-5\]'/,
  ],
  ['another type', { attributes: 'p:[1-5]' }, { attributes: 'p:1' }, /attributes/, /attribute p was/],
];

for (const [what, before, now, equal, additive] of CASES) {
  test(`an agent that comes back with a change of ${what}`, () => {
    for (const [policy, complaint] of [
      ['equal', equal],
      ['additive', additive],
    ] as const) {
      const verdict = reconfigure(info(before), info(now), policy);
      if (complaint === undefined) assert.deepEqual(verdict, { ok: true, value: undefined }, policy);
      else assert.match(verdict.ok ? 'allowed' : verdict.error, complaint, policy);
    }
  });
}
