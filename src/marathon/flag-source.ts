/** How Marathon's flags are written: `--name value`, `--name=value`, bare `--name`, `--disable_name`; or `MARATHON_NAME` in the environment. */
import type { FlagTable } from '../config/flag.ts';
import type { Setting, Source } from '../config/source.ts';

const DISABLE = 'disable_';
const PREFIX = 'MARATHON_';
/** These are told to tasks, by a Marathon that started this one. */
const OF_TASKS = 'MARATHON_APP_';
/** Variables that go by other names than their flags. */
const OLD_VARIABLES = [
  ['MESOSPHERE_HTTP_CREDENTIALS', 'http_credentials'],
  ['MESOSPHERE_KEYSTORE_PATH', 'ssl_keystore_path'],
  ['MESOSPHERE_KEYSTORE_PASS', 'ssl_keystore_password'],
] as const;

/** Arguments of the command line. */
export function marathonArguments(argv: readonly string[], table: FlagTable): Source {
  const settings: Setting[] = [];
  for (let at = 0; at < argv.length; at++) {
    const written = argv[at]!;
    const match = /^--([^=]+)(?:=(.*))?$/s.exec(written);
    if (!match) continue;
    const name = match[1]!.toLowerCase();
    const next = argv[at + 1];
    const isBare = match[2] === undefined;
    const takesNext = isBare && next !== undefined && !next.startsWith('--') && !isToggle(name, table);
    if (takesNext) at++;
    settings.push(setting(name, takesNext ? next : match[2], takesNext ? `${written} ${next}` : written, table));
  }
  return { settings, unknown: 'error' };
}

/** The environment. An empty value is a bare flag. */
export function marathonEnvironment(env: Readonly<Record<string, string | undefined>>, table: FlagTable): Source {
  const settings: Setting[] = [];
  for (const [key, text] of Object.entries(env)) {
    if (text === undefined || !key.startsWith(PREFIX) || key.startsWith(OF_TASKS)) continue;
    const name = key.slice(PREFIX.length).toLowerCase();
    settings.push(setting(name, text === '' ? undefined : text, `${key}=${text}`, table));
  }
  for (const [written, name] of OLD_VARIABLES) {
    const text = env[written];
    if (text !== undefined && !settings.some((each) => each.name === name)) settings.push({ name, text, written });
  }
  return { settings, unknown: 'ignore' };
}

function isToggle(name: string, table: FlagTable): boolean {
  const base = name.startsWith(DISABLE) && !(name in table) ? name.slice(DISABLE.length) : name;
  return table[base]?.kind.boolean === true;
}

function setting(name: string, text: string | undefined, written: string, table: FlagTable): Setting {
  const base = name.slice(DISABLE.length);
  if (name.startsWith(DISABLE) && !(name in table) && table[base]?.kind.boolean) {
    return { name: base, negated: true, written };
  }
  return { name, ...(text !== undefined && { text }), written };
}
