/** The master answered a call with a refusal. `status` is the HTTP status, the message is the master's own sentence. */
export class CallRefused extends Error {
  override readonly name = 'CallRefused';
  readonly status: number;

  constructor(what: string, status: number, text: string) {
    super(`${what} was refused (${status}): ${text.trim() || 'no reason was given'}`);
    this.status = status;
  }
}

/** The master ended the subscription with an ERROR event, for example `Framework failed over`. It is not retried. */
export class FrameworkError extends Error {
  override readonly name = 'FrameworkError';
}

/** A call was made while there is no subscription, or the connection broke before the answer came. */
export class NotConnected extends Error {
  override readonly name = 'NotConnected';
}
