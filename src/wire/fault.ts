/**
 * What the codecs throw inside and turn into a Result at their boundary. Not an Error: refusing hostile input must not cost
 * the price of a stack trace.
 */
export class WireFault {
  readonly what: string;
  /** The last name of the path, where the fault lies in a field that is not there to be pointed at. */
  readonly field: string | undefined;

  constructor(what: string, field?: string) {
    this.what = what;
    this.field = field;
  }
}

/** Messages nested deeper than this are refused, binary or JSON: upstream's protobuf library has the same limit. */
export const MAX_DEPTH = 100;
