// A Link in memory: interfaces on one segment that hand on each other's frames. It keeps the
// contract of the real ones, so what is tested with it holds with them.

import { NetError } from '../../src/net/errors.js';
import type { Link, LinkEvents, LinkOptions, OpenLink } from '../../src/net/ports.js';
import { hex } from './frames.js';
import type { Lan, Listener, Peer, Station } from './lan.js';

/** Everything that is plugged in hears everything, later in the same turn of the event loop. */
export class FakeSegment {
  readonly #interfaces: FakeInterface[] = [];

  plug(name: string): FakeInterface {
    const plugged = new FakeInterface(name, (frame) => this.#carry(frame, plugged));
    this.#interfaces.push(plugged);
    return plugged;
  }

  #carry(frame: Uint8Array, from: FakeInterface): void {
    for (const each of this.#interfaces) {
      if (each !== from) queueMicrotask(() => each.deliver(Uint8Array.from(frame)));
    }
  }
}

type Condition = 'up' | 'down' | 'gone';

export class FakeInterface {
  readonly name: string;
  readonly transmit: (frame: Uint8Array) => void;
  readonly #listeners = new Set<(frame: Uint8Array) => void>();
  condition: Condition = 'up';
  /** Another one after every creation: links that were open on the last one are deaf. */
  incarnation = 1;

  constructor(name: string, transmit: (frame: Uint8Array) => void) {
    this.name = name;
    this.transmit = transmit;
  }

  readonly openLink: OpenLink = (options, events) => new FakeLink(this, options, events);

  /** Hears every frame that comes in, whatever it is; answers how to stop. */
  listen(listener: (frame: Uint8Array) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  deliver(frame: Uint8Array): void {
    if (this.condition !== 'up') return;
    for (const listener of [...this.#listeners]) listener(frame);
  }

  remove(): void {
    this.condition = 'gone';
    this.#listeners.clear();
  }

  create(): void {
    this.condition = 'down';
    this.incarnation += 1;
  }
}

class FakeLink implements Link {
  readonly backend = 'packet' as const;
  readonly #interface: FakeInterface;
  readonly #device: string;
  readonly #events: LinkEvents;
  #incarnation: number | undefined;
  #unlisten: () => void = () => undefined;
  #closed = false;

  constructor(on: FakeInterface, { device }: LinkOptions, events: LinkEvents) {
    this.#interface = on;
    this.#device = device;
    this.#events = events;
    this.#start();
  }

  send(frame: Uint8Array): void {
    if (this.#closed) throw new NetError('closed', 'The capture is closed');
    if (this.#incarnation === undefined) this.#start();
    this.#check();
    if (this.#incarnation !== this.#interface.incarnation) {
      throw new NetError('no-such-device', 'The interface is another one now');
    }
    this.#interface.transmit(frame);
  }

  refresh(): boolean {
    if (this.#closed) return false;
    const { condition, incarnation } = this.#interface;
    if (condition !== 'gone' && incarnation === this.#incarnation) return false;
    this.#stop();
    this.#start();
    return true;
  }

  close(): void {
    this.#closed = true;
    this.#stop();
  }

  #check(): void {
    const { condition, name } = this.#interface;
    if (condition === 'gone' || name !== this.#device) {
      throw new NetError('no-such-device', `There is no interface ${this.#device}`);
    }
    if (condition === 'down') throw new NetError('link-down', `${name} is down`);
  }

  #start(): void {
    this.#check();
    this.#incarnation = this.#interface.incarnation;
    this.#unlisten = this.#interface.listen((frame) => {
      if (isAdvert(frame) && !this.#closed) this.#events.frame(frame);
    });
  }

  #stop(): void {
    this.#incarnation = undefined;
    this.#unlisten();
  }
}

/** Untagged IPv4 of protocol 112. */
function isAdvert(frame: Uint8Array): boolean {
  return frame[12] === 0x08 && frame[13] === 0x00 && frame[23] === 112;
}

/** Two fake interfaces, as the contract wants them. */
export function createFakeLan(): Lan {
  const segment = new FakeSegment();
  const ours = segment.plug('fake0');
  const theirs = segment.plug('fake1');
  const station = new FakeStation(ours);
  const heard = new Heard();
  theirs.listen((frame) => heard.add(frame));
  const peer: Peer = Object.assign(heard, {
    send: async (frame: Uint8Array) => theirs.transmit(frame),
  });
  return {
    station,
    peer,
    restore: async () => {
      if (ours.condition === 'gone') ours.create();
      ours.condition = 'up';
      await Promise.all([station.close(), station.clear(), peer.clear()]);
    },
    setUp: async (up) => {
      ours.condition = up ? 'up' : 'down';
    },
    flap: async () => undefined,
    remove: async () => ours.remove(),
    create: async () => ours.create(),
    end: async () => undefined,
  };
}

class Heard implements Listener {
  #frames: string[] = [];

  add(frame: Uint8Array): void {
    this.#frames.push(hex(frame));
  }

  /** What was sent has arrived when the microtasks have run; waiting longer brings nothing. */
  async frames(): Promise<readonly string[]> {
    await new Promise<void>((resolve) => {
      setImmediate(resolve);
    });
    return this.#frames;
  }

  async clear(): Promise<void> {
    this.#frames = [];
  }
}

class FakeStation extends Heard implements Station {
  readonly #interface: FakeInterface;
  #link: Link | undefined;

  constructor(on: FakeInterface) {
    super();
    this.#interface = on;
  }

  async open(device = this.#interface.name): Promise<void> {
    this.#link = this.#interface.openLink(
      { device, groups: [] },
      {
        frame: (bytes) => this.add(bytes),
        trouble: (error) => {
          throw error;
        },
      },
    );
  }

  async send(frame: Uint8Array): Promise<void> {
    this.#link?.send(frame);
  }

  async refresh(): Promise<boolean> {
    return this.#link?.refresh() === true;
  }

  async close(): Promise<void> {
    this.#link?.close();
  }
}
