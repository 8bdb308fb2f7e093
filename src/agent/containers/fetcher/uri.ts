/** Brings one URI of a command into the current directory. The rules are upstream's. */
import { spawn } from 'node:child_process';
import { createReadStream, createWriteStream } from 'node:fs';
import { chmod, copyFile, mkdir, stat } from 'node:fs/promises';
import { get as httpGet, type IncomingMessage } from 'node:http';
import { get as httpsGet } from 'node:https';
import { dirname, isAbsolute, join, normalize, resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import type { CommandInfo_URI } from '../../../wire/v1.ts';
import type { FetchOrder } from './order.ts';

const MAX_REDIRECTS = 10;
const TAR = /\.(tar|tgz|tar\.gz|tbz2|tar\.bz2|txz|tar\.xz)$/;

type Settings = Pick<FetchOrder, 'frameworksHome' | 'stallTimeout'>;

/** @returns sentences about what was done @throws what went wrong, in words for the task's owner */
export async function fetchUri(uri: CommandInfo_URI, settings: Settings): Promise<string[]> {
  const target = targetOf(uri);
  await mkdir(dirname(target), { recursive: true });
  const local = localPath(uri.value, settings.frameworksHome);
  if (local === undefined) await download(uri.value, target, settings.stallTimeout);
  // One that is in its place already is not overwritten by itself.
  else if (resolve(local) !== resolve(target)) await copyFile(local, target);
  const done = [`Fetched '${uri.value}' to '${resolve(target)}'`];
  if (uri.executable) {
    await chmod(target, (await stat(target)).mode | 0o111);
  } else if (uri.extract ?? true) {
    const unpacked = await extract(target);
    if (unpacked !== undefined) done.push(unpacked);
  }
  return done;
}

/** Where the file goes, seen from the sandbox: `output_file`, or the last part of the URI. */
function targetOf({ value, output_file }: CommandInfo_URI): string {
  if (output_file !== undefined && output_file !== '') {
    const path = normalize(output_file);
    if (isAbsolute(path) || path === '..' || path.startsWith('../'))
      throw new Error(`output_file '${output_file}' must be a path inside the sandbox`);
    return path;
  }
  const path = value.replace(/^[^:/]*:\/\//, '');
  const name = path.slice(path.lastIndexOf('/') + 1);
  if (name === '' || name === '.' || name === '..')
    throw new Error('the URI names no file: it must not end with a slash');
  return name;
}

/** @returns undefined for what has to be downloaded */
function localPath(value: string, frameworksHome: string): string | undefined {
  const scheme = /^([^:/]*):\/\//.exec(value)?.[1]?.toLowerCase();
  switch (scheme) {
    case 'http':
    case 'https':
      return undefined;
    case 'file':
      return value.slice('file://'.length).replace(/^localhost(?=\/)/, '');
    case undefined:
      if (isAbsolute(value)) return value;
      if (frameworksHome === '')
        throw new Error('the path is relative: write an absolute one, or start the agent with --frameworks_home');
      return join(frameworksHome, value);
    default:
      throw new Error(`'${scheme}' is not fetched in this build: use http, https, file or an absolute path`);
  }
}

async function download(url: string, target: string, stallTimeout: number): Promise<void> {
  const response = await open(url, stallTimeout, MAX_REDIRECTS);
  await pipeline(response, createWriteStream(target));
}

function open(url: string, stallTimeout: number, redirects: number): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const get = url.toLowerCase().startsWith('https:') ? httpsGet : httpGet;
    const request = get(url, { headers: { 'User-Agent': 'meseta' } }, (response) => {
      const { statusCode = 0, headers } = response;
      if (statusCode === 200) {
        resolve(response);
        return;
      }
      response.destroy();
      if (statusCode < 300 || statusCode >= 400 || headers.location === undefined)
        reject(new Error(`the server answered with status ${statusCode}`));
      else if (redirects === 0) reject(new Error(`more than ${MAX_REDIRECTS} redirects`));
      else resolve(follow(headers.location, url, stallTimeout, redirects));
    });
    request.setTimeout(stallTimeout, () => request.destroy(new Error(`nothing came for ${stallTimeout} ms`)));
    request.on('error', reject);
  });
}

async function follow(
  location: string,
  from: string,
  stallTimeout: number,
  redirects: number,
): Promise<IncomingMessage> {
  const next = URL.parse(location, from);
  if (!next || !/^https?:$/.test(next.protocol)) throw new Error(`a redirect leads to '${location}'`);
  return open(next.href, stallTimeout, redirects - 1);
}

/** Unpacks what its name says is an archive; the archive stays. @returns what was done, if anything */
async function extract(path: string): Promise<string | undefined> {
  if (TAR.test(path)) await run('tar', ['-C', '.', '-xf', `./${path}`]);
  else if (path.endsWith('.zip')) await run('unzip', ['-o', '-q', '-d', '.', `./${path}`]);
  else if (path.endsWith('.gz')) {
    await pipeline(createReadStream(path), createGunzip(), createWriteStream(path.slice(0, -'.gz'.length)));
  } else return undefined;
  return `Extracted '${resolve(path)}'`;
}

/** Runs a program that speaks for itself on our standard error. */
function run(program: string, argv: readonly string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, argv, { stdio: ['ignore', 'inherit', 'inherit'] });
    child.on('error', (error) => reject(new Error(`'${program}' cannot be run: ${error.message}`)));
    child.on('exit', (code, signal) => {
      if (code === 0) resolve();
      else reject(new Error(`'${program}' ended with ${signal ?? `status ${code}`}`));
    });
  });
}
