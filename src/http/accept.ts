/**
 * Whether an Accept-like header allows a value. As upstream reads it: the exact value decides before a wildcard, the
 * first mention counts, q=0 excludes, and other q values do not order anything.
 * @param candidates lower case, most specific first
 */
function allows(header: string, candidates: readonly string[]): boolean {
  const items = header.replace(/[ \t\n]/g, '').split(',');
  for (const candidate of candidates) {
    for (const item of items) {
      const [name, ...parameters] = item.split(';');
      if (name === undefined || name.toLowerCase() !== candidate) continue;
      const weights = parameters.filter((parameter) => parameter.startsWith('q='));
      if (weights.length !== 1) return true;
      return Number(weights[0]!.slice(2)) > 0;
    }
  }
  return false;
}

/** Whether `Accept` (or `Message-Accept`) allows a media type; without the header everything is allowed. */
export function acceptsMediaType(header: string | undefined, mediaType: string): boolean {
  if (header === undefined) return true;
  return allows(header, [mediaType, `${mediaType.slice(0, mediaType.indexOf('/'))}/*`, '*/*']);
}

/** Whether `Accept-Encoding` allows gzip; without the header it does not. */
export function acceptsGzip(header: string | undefined): boolean {
  return header !== undefined && allows(header, ['gzip', '*']);
}
