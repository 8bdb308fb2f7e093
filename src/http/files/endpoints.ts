import { constants } from 'node:fs';
import { extname } from 'node:path';
import { err, ok, type Result } from '../../base/result.ts';
import { type Answer, badRequest, failure, json, notFound } from '../answer.ts';
import type { Endpoint, Parameter, Request } from '../endpoint.ts';
import type { FileEntry, FilesError, FilesTable } from './table.ts';

const PATH: Parameter = { name: 'path', description: 'The virtual path: a sandbox, a log, or what lies in them' };

/** `/files/browse`, `/files/read`, `/files/download` and `/files/debug`. */
export function filesEndpoints(table: FilesTable): readonly Endpoint[] {
  return [browseEndpoint(table), readEndpoint(table), downloadEndpoint(table), debugEndpoint(table)];
}

function browseEndpoint(table: FilesTable): Endpoint {
  return {
    process: 'files',
    path: '/browse',
    aliases: ['/browse.json'],
    realm: 'readonly',
    jsonp: true,
    parameters: [PATH],
    summary: 'Returns a file listing for a directory.',
    authorization: ['ACCESS_SANDBOX', 'ACCESS_MESOS_LOG'],
    handle: async (request) => {
      const path = pathOf(request);
      if (!path.ok) return path.error;
      const entries = await table.browse(path.value, request.principal);
      return entries.ok ? json(JSON.stringify(entries.value.map(listed))) : refused(entries.error);
    },
  };
}

function readEndpoint(table: FilesTable): Endpoint {
  return {
    process: 'files',
    path: '/read',
    aliases: ['/read.json'],
    realm: 'readonly',
    jsonp: true,
    parameters: [
      PATH,
      { name: 'offset', description: 'Where to begin, in bytes; -1 or none answers the size as offset' },
      { name: 'length', description: 'How many bytes, at most 65536; -1 or none reads to the end' },
    ],
    summary: 'Reads data from a file.',
    authorization: ['ACCESS_SANDBOX', 'ACCESS_MESOS_LOG'],
    handle: async (request) => {
      const path = pathOf(request);
      if (!path.ok) return path.error;
      const offset = numberOf(request, 'offset');
      if (!offset.ok) return offset.error;
      const length = numberOf(request, 'length');
      if (!length.ok) return length.error;
      const sizeOnly = offset.value === -1;
      const wanted = sizeOnly ? 0 : length.value === -1 ? undefined : length.value;
      const read = await table.read(path.value, sizeOnly ? 0 : offset.value, wanted, request.principal);
      if (!read.ok) return refused(read.error);
      const data = Buffer.from(read.value.data).toString('utf8');
      return json(JSON.stringify({ data, offset: sizeOnly ? read.value.size : offset.value }));
    },
  };
}

const TYPES: Readonly<Record<string, string>> = {
  '.css': 'text/css',
  '.csv': 'text/csv',
  '.gif': 'image/gif',
  '.gz': 'application/gzip',
  '.htm': 'text/html',
  '.html': 'text/html',
  '.jpeg': 'image/jpeg',
  '.jpg': 'image/jpeg',
  '.js': 'text/javascript',
  '.json': 'application/json',
  '.pdf': 'application/pdf',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.tar': 'application/x-tar',
  '.txt': 'text/plain',
  '.xml': 'application/xml',
  '.zip': 'application/zip',
};

function downloadEndpoint(table: FilesTable): Endpoint {
  return {
    process: 'files',
    path: '/download',
    aliases: ['/download.json'],
    realm: 'readonly',
    parameters: [PATH],
    summary: 'Returns the raw file contents for a given path.',
    authorization: ['ACCESS_SANDBOX', 'ACCESS_MESOS_LOG'],
    handle: async (request) => {
      const path = pathOf(request);
      if (!path.ok) return path.error;
      const file = await table.download(path.value, request.principal);
      if (!file.ok) return file.error.status === 404 ? notFound() : refused(file.error);
      const { handle, size, name } = file.value;
      // A file may grow while it is sent: only what was announced goes out.
      const body = size === 0 ? '' : handle.createReadStream({ start: 0, end: size - 1 });
      if (size === 0) await handle.close();
      return {
        status: 200,
        headers: {
          'content-type': TYPES[extname(name).toLowerCase()] ?? 'application/octet-stream',
          'content-disposition': `attachment; filename=${name.replace(/[^\x21-\x7e]|[";\\]/g, '_')}`,
          'content-length': String(size),
        },
        body,
      };
    },
  };
}

function debugEndpoint(table: FilesTable): Endpoint {
  return {
    process: 'files',
    path: '/debug',
    aliases: ['/debug.json'],
    realm: 'readonly',
    jsonp: true,
    summary: 'Returns the internal virtual path mapping.',
    authorization: ['GET_ENDPOINT_WITH_PATH'],
    handle: () => json(JSON.stringify(table.entries())),
  };
}

function pathOf(request: Request): Result<string, Answer> {
  const path = request.query.get('path');
  return path ? ok(path) : err(badRequest("Expecting 'path=value' in query.\n"));
}

function numberOf(request: Request, name: 'offset' | 'length'): Result<number, Answer> {
  const text = request.query.get(name);
  if (text === undefined) return ok(-1);
  if (!/^-?\d{1,15}$/.test(text))
    return err(badRequest(`Failed to parse ${name}: Failed to convert '${text}' to number.\n`));
  if (Number(text) < -1) return err(badRequest(`Negative ${name} provided: ${text}.\n`));
  return ok(Number(text));
}

function refused(error: FilesError): Answer {
  return failure(error.status, error.sentence);
}

function listed(entry: FileEntry): unknown {
  const { gid, mtime, nlink, path, size, uid } = entry;
  return { gid, mode: formatMode(entry.mode), mtime, nlink, path, size, uid };
}

const KINDS: ReadonlyMap<number, string> = new Map([
  [constants.S_IFIFO, 'p'],
  [constants.S_IFCHR, 'c'],
  [constants.S_IFDIR, 'd'],
  [constants.S_IFBLK, 'b'],
  [constants.S_IFLNK, 'l'],
  [constants.S_IFSOCK, 's'],
]);

/** `drwxr-xr-x`. @param mode as in stat */
export function formatMode(mode: number): string {
  let text = KINDS.get(mode & constants.S_IFMT) ?? '-';
  for (let bit = 8; bit >= 0; bit--) text += mode & (1 << bit) ? 'xwr'[bit % 3] : '-';
  return text;
}
