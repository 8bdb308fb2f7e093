/** A stretch of network between two programs of this machine that can be slow, stuck, one-way or broken. */
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** From the one who connects to the one who listens, and back. */
export type Direction = 'forth' | 'back';

interface Weather {
  /** Milliseconds that every piece takes on its way; pieces never overtake each other. */
  delay: number;
  /** Nothing gets through; it is kept. */
  isStalled: boolean;
  /** Nothing gets through; it is lost, and the sender believes it sent. */
  isCut: boolean;
}

interface Piece {
  readonly bytes: Buffer | 'end';
  readonly due: number;
}

/** Listens on a port of the loopback and passes on to another. */
export class Wire {
  readonly port: number;
  readonly #server: Server;
  readonly #pairs = new Set<Pair>();
  readonly #weather: Record<Direction, Weather> = {
    forth: { delay: 0, isStalled: false, isCut: false },
    back: { delay: 0, isStalled: false, isCut: false },
  };
  #target = 0;
  #accepted = 0;
  #refuses = false;

  private constructor(port: number, server: Server) {
    this.port = port;
    this.#server = server;
    server.on('connection', (near) => this.#accept(near));
  }

  /** Listens; where it leads is said by `leadTo`. */
  static async start(): Promise<Wire> {
    // Who has said all of it may still be listening.
    const server = createServer({ allowHalfOpen: true, noDelay: true });
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(0, '127.0.0.1', resolve);
    });
    return new Wire((server.address() as AddressInfo).port, server);
  }

  /** To this port of the loopback, from now on. */
  leadTo(port: number): void {
    this.#target = port;
  }

  /** How many connections there have been. */
  get accepted(): number {
    return this.#accepted;
  }

  delay(milliseconds: number): void {
    for (const weather of Object.values(this.#weather)) weather.delay = milliseconds;
  }

  /** Holds everything up in this direction, until `heal`. */
  stall(direction: Direction): void {
    this.#weather[direction].isStalled = true;
  }

  /** Loses everything in this direction: connections made before or meanwhile are never whole again. */
  cut(direction: Direction): void {
    this.#weather[direction].isCut = true;
  }

  /** Breaks all connections off, so that both sides see a reset. */
  reset(): void {
    for (const pair of this.#pairs) pair.reset();
  }

  /** Breaks every new connection off at once, until `heal`. */
  refuse(): void {
    this.#refuses = true;
    this.reset();
  }

  /** Fair weather. What was held up goes on; connections that have lost something are reset. */
  heal(): void {
    this.#refuses = false;
    for (const weather of Object.values(this.#weather)) Object.assign(weather, { delay: 0, isStalled: false });
    for (const pair of this.#pairs) {
      if (pair.isSpoiled) pair.reset();
      else pair.flow();
    }
    for (const weather of Object.values(this.#weather)) weather.isCut = false;
  }

  async close(): Promise<void> {
    this.reset();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #accept(near: Socket): void {
    this.#accepted++;
    if (this.#refuses) {
      near.on('error', () => {});
      near.resetAndDestroy();
      return;
    }
    const far = connect({ host: '127.0.0.1', port: this.#target, allowHalfOpen: true, noDelay: true });
    const pair: Pair = new Pair(near, far, this.#weather, () => this.#pairs.delete(pair));
    this.#pairs.add(pair);
  }
}

class Pair {
  isSpoiled = false;
  readonly #sockets: readonly [Socket, Socket];
  readonly #lanes: readonly Lane[];

  constructor(near: Socket, far: Socket, weather: Readonly<Record<Direction, Weather>>, gone: () => void) {
    this.#sockets = [near, far];
    const spoil = (): void => {
      this.isSpoiled = true;
    };
    this.#lanes = [new Lane(near, far, weather.forth, spoil), new Lane(far, near, weather.back, spoil)];
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      // The close follows, and says it to the other side.
      socket.on('error', () => {});
      socket.once('close', (hadError) => {
        if (hadError) other.resetAndDestroy();
        if (near.closed && far.closed) gone();
      });
    }
  }

  flow(): void {
    for (const lane of this.#lanes) lane.flow();
  }

  reset(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }
}

/** One direction of one connection. */
class Lane {
  readonly #to: Socket;
  readonly #weather: Weather;
  readonly #spoil: () => void;
  #pieces: Piece[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(from: Socket, to: Socket, weather: Weather, spoil: () => void) {
    this.#to = to;
    this.#weather = weather;
    this.#spoil = spoil;
    from.on('data', (bytes: Buffer) => this.#take(bytes));
    from.once('end', () => this.#take('end'));
    from.once('close', () => clearTimeout(this.#timer));
  }

  #take(bytes: Buffer | 'end'): void {
    if (this.#weather.isCut) {
      this.#spoil();
      return;
    }
    this.#pieces.push({ bytes, due: performance.now() + this.#weather.delay });
    this.flow();
  }

  /** Passes on what is due. */
  flow(): void {
    clearTimeout(this.#timer);
    if (this.#weather.isStalled) return;
    for (let piece = this.#pieces[0]; piece !== undefined; piece = this.#pieces[0]) {
      const wait = piece.due - performance.now();
      if (wait > 0) {
        this.#timer = setTimeout(() => this.flow(), wait);
        return;
      }
      this.#pieces.shift();
      if (this.#to.destroyed) return;
      if (piece.bytes === 'end') this.#to.end();
      else this.#to.write(piece.bytes);
    }
  }
}
