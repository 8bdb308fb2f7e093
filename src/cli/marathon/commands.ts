/** The subcommands about Marathon. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { ImportOptions } from './import.ts';
import type { ChangeOptions, CommonOptions, KillOptions, ListOptions } from './options.ts';
import type { PutOptions, SecretOptions } from './secrets.ts';

const DEFAULT_MARATHON = '127.0.0.1:8080';

function whole(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isInteger(value) || value < 0)
    throw new InvalidArgumentError('It has to be a whole number, 0 or more.');
  return value;
}

/** Sets the exit status of the process to what a subcommand returns. */
function exitWith<A extends unknown[]>(action: (...args: A) => Promise<number>): (...args: A) => Promise<void> {
  return async (...args) => {
    process.exitCode = await action(...args);
  };
}

/** Where Marathon is, and as whom to ask it. */
export function reaching(command: Command): Command {
  return command
    .addOption(
      new Option('-M, --marathon <host:port>', 'Marathon; of several any one, since the others pass on to the leader')
        .env('MESETA_MARATHON')
        .default(DEFAULT_MARATHON),
    )
    .addOption(
      new Option('--cacert <file>', 'certificates to trust, for a Marathon whose URL begins with https').env(
        'MESETA_CACERT',
      ),
    )
    .addOption(
      new Option('--credentials <user:password>', 'for a Marathon that asks for them').env(
        'MESETA_MARATHON_CREDENTIALS',
      ),
    );
}

function common(command: Command): Command {
  return reaching(command).addOption(
    new Option('-o, --output <form>', 'how to print').choices(['table', 'json', 'yaml']).default('table'),
  );
}

function changing(command: Command): Command {
  return common(command)
    .option('-f, --force', 'give up deployments that are in the way')
    .option('-w, --watch', 'stay until the deployment is over, and show how it goes');
}

function addApps(program: Command): void {
  const app = program.command('app').description('apps of Marathon');
  common(app.command('list').description('list all apps'))
    .option('-l, --label <selector>', 'only those with these labels, such as env==prod,tier in (web, api)')
    .action(exitWith(async (options: ListOptions) => (await import('./apps.ts')).listApps(options)));
  common(app.command('show').description('show one app and its tasks').argument('<id>')).action(
    exitWith(async (id: string, options: CommonOptions) => (await import('./apps.ts')).showApp(id, options)),
  );
  changing(
    app
      .command('apply')
      .description('make apps what files say, in JSON or YAML')
      .argument('<file...>', '- for standard input'),
  ).action(
    exitWith(async (files: string[], options: ChangeOptions) => (await import('./apps.ts')).applyApps(files, options)),
  );
  changing(
    app
      .command('scale')
      .description('change how many instances an app has')
      .argument('<id>')
      .argument('<instances>', '', whole),
  ).action(
    exitWith(async (id: string, instances: number, options: ChangeOptions) =>
      (await import('./apps.ts')).scaleApp(id, instances, options),
    ),
  );
  changing(app.command('restart').description('replace all instances of an app').argument('<id>')).action(
    exitWith(async (id: string, options: ChangeOptions) => (await import('./apps.ts')).restartApp(id, options)),
  );
  changing(app.command('delete').description('end an app').argument('<id>')).action(
    exitWith(async (id: string, options: ChangeOptions) => (await import('./apps.ts')).deleteApp(id, options)),
  );
  addAppHistory(app);
}

function addAppHistory(app: Command): void {
  common(app.command('versions').description('list the versions of an app').argument('<id>')).action(
    exitWith(async (id: string, options: CommonOptions) => (await import('./apps.ts')).listVersions(id, options)),
  );
  changing(
    app
      .command('rollback')
      .description('go back to an earlier version of an app')
      .argument('<id>')
      .argument('<version>'),
  ).action(
    exitWith(async (id: string, version: string, options: ChangeOptions) =>
      (await import('./apps.ts')).rollbackApp(id, version, options),
    ),
  );
  common(
    app
      .command('kill')
      .description('kill tasks of an app; others take their place')
      .argument('<id>')
      .argument('[task...]', 'all of them unless named'),
  )
    .option('--scale', 'and want that many fewer')
    .option('--wipe', 'and give up their volumes')
    .action(
      exitWith(async (id: string, tasks: string[], options: KillOptions) =>
        (await import('./apps.ts')).killTasks(id, tasks, options),
      ),
    );
  common(app.command('why').description('say why an app does not have all its instances').argument('<id>')).action(
    exitWith(async (id: string, options: CommonOptions) => (await import('./why.ts')).whyApp(id, options)),
  );
}

function addGroups(program: Command): void {
  const group = program.command('group').description('groups of apps and pods');
  common(group.command('show').description('show a group and what is in it').argument('[id]', '', '/')).action(
    exitWith(async (id: string, options: CommonOptions) => (await import('./groups.ts')).showGroup(id, options)),
  );
  changing(
    group
      .command('apply')
      .description('make a group what a file says, in JSON or YAML')
      .argument('<file>', '- for standard input'),
  )
    .option('--dry-run', 'only show the steps')
    .action(
      exitWith(async (file: string, options: ChangeOptions & { readonly dryRun?: boolean }) =>
        (await import('./groups.ts')).applyGroup(file, options),
      ),
    );
  changing(group.command('delete').description('end a group and all that is in it').argument('<id>')).action(
    exitWith(async (id: string, options: ChangeOptions) => (await import('./groups.ts')).deleteGroup(id, options)),
  );
}

function addPods(program: Command): void {
  const pod = program.command('pod').description('pods of Marathon');
  common(pod.command('list').description('list all pods')).action(
    exitWith(async (options: CommonOptions) => (await import('./pods.ts')).listPods(options)),
  );
  common(pod.command('show').description('show one pod and its instances').argument('<id>')).action(
    exitWith(async (id: string, options: CommonOptions) => (await import('./pods.ts')).showPod(id, options)),
  );
  changing(
    pod
      .command('apply')
      .description('make pods what files say, in JSON or YAML')
      .argument('<file...>', '- for standard input'),
  ).action(
    exitWith(async (files: string[], options: ChangeOptions) => (await import('./pods.ts')).applyPods(files, options)),
  );
  changing(pod.command('delete').description('end a pod').argument('<id>')).action(
    exitWith(async (id: string, options: ChangeOptions) => (await import('./pods.ts')).deletePod(id, options)),
  );
}

function addDeployments(program: Command): void {
  const deployment = program.command('deployment').description('what Marathon is changing');
  common(deployment.command('list').description('list deployments that are under way')).action(
    exitWith(async (options: CommonOptions) => (await import('./deployments.ts')).listDeployments(options)),
  );
  common(deployment.command('watch').description('stay until a deployment is over').argument('<id>')).action(
    exitWith(async (id: string, options: CommonOptions) => (await import('./deployments.ts')).watch(id, options)),
  );
  changing(deployment.command('rollback').description('undo a deployment that is under way').argument('<id>')).action(
    exitWith(async (id: string, options: ChangeOptions) => (await import('./deployments.ts')).rollback(id, options)),
  );
  common(deployment.command('stop').description('stop a deployment where it stands').argument('<id>')).action(
    exitWith(async (id: string, options: CommonOptions) => (await import('./deployments.ts')).stop(id, options)),
  );
}

function addMarathon(program: Command): void {
  const marathon = program
    .command('marathon')
    .description('state and secrets of Marathon, and definitions from elsewhere');
  addBackup(marathon);
  addSecrets(marathon);
  common(
    marathon
      .command('import')
      .description('take the apps and pods of another Marathon over, also of an upstream one')
      .argument('<url>'),
  )
    .option('--dry-run', 'only list them, and what of them is here already')
    .option('--replace', 'also those that are here already and differ')
    .action(
      exitWith(async (url: string, options: ImportOptions) => (await import('./import.ts')).importFrom(url, options)),
    );
  marathon
    .command('schema')
    .description('print the JSON Schema of definitions, for editors')
    .argument('<what>', 'app, pod or group')
    .action(exitWith(async (what: string) => (await import('./schema.ts')).printSchema(what)));
}

function addBackup(marathon: Command): void {
  marathon
    .command('backup')
    .description('write the state of a Marathon to a file, or standard output; it may be running')
    .argument('<from>', 'lmdb:FOLDER (its --work_dir), or zk://host:port/path (its --zk)')
    .argument('[file]', 'the file; - for standard output')
    .action(
      exitWith(async (from: string, file: string | undefined) =>
        (await import('./backup.ts')).backupState(from, file === undefined ? {} : { file }),
      ),
    );
  marathon
    .command('restore')
    .description('fill an empty store from a file, or standard input; no Marathon must be running on it')
    .argument('<into>', 'lmdb:FOLDER, or zk://host:port/path')
    .argument('[file]', 'the file; - for standard input')
    .option('--force', 'replace what the store holds')
    .action(
      exitWith(async (into: string, file: string | undefined, options: { readonly force?: boolean }) =>
        (await import('./backup.ts')).restoreBackup(into, { ...options, ...(file !== undefined && { file }) }),
      ),
    );
}

function addSecrets(marathon: Command): void {
  const secret = marathon.command('secret').description('what apps and pods refer to as secrets, in an encrypted file');
  const command = (name: string, about: string): Command =>
    secret
      .command(name)
      .description(about)
      .addOption(
        new Option('--file <file>', 'the encrypted file (--secrets_file of Marathon)')
          .env('MESETA_SECRETS_FILE')
          .default('/var/lib/marathon/secrets'),
      )
      .addOption(
        new Option('--key-file <file>', 'the file with its key (--secrets_key_file of Marathon)')
          .env('MESETA_SECRETS_KEY_FILE')
          .makeOptionMandatory(),
      );
  command('put', 'keep a secret; its value is read from standard input')
    .argument('<name>', 'such as databases/password')
    .option('--exact', 'keep a newline at the end too')
    .action(
      exitWith(async (name: string, options: PutOptions) => (await import('./secrets.ts')).putSecret(name, options)),
    );
  command('get', 'print the value of a secret')
    .argument('<name>')
    .action(
      exitWith(async (name: string, options: SecretOptions) => (await import('./secrets.ts')).getSecret(name, options)),
    );
  command('list', 'list the names of all secrets').action(
    exitWith(async (options: SecretOptions) => (await import('./secrets.ts')).listSecrets(options)),
  );
  command('delete', 'forget a secret')
    .argument('<name>')
    .action(
      exitWith(async (name: string, options: SecretOptions) =>
        (await import('./secrets.ts')).deleteSecret(name, options),
      ),
    );
  secret
    .command('key')
    .description('make a new key, in a file that only you can read')
    .argument('<file>')
    .action(exitWith(async (file: string) => (await import('./secrets.ts')).makeKey(file)));
}

/** Adds all of them. Their code is loaded only when one is called. */
export function addMarathonCommands(program: Command): void {
  addApps(program);
  addGroups(program);
  addPods(program);
  addDeployments(program);
  addMarathon(program);
}
