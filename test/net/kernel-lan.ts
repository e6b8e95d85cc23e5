// Two network namespaces: in one the station with its interface and no address, in the other a
// bridge, on which the peer sits, so that the peer outlives whatever is done to the station's
// interface.
//
//   station namespace               peer namespace
//   driver(link) - car0 ~~~ veth ~~~ port0 - br0 - driver(tap)

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Backend } from '../../src/net/ports.js';
import { type Bundle, bundleDriver, Driver } from './driver.js';
import { group, hex } from './frames.js';
import type { Lan, Listener, Peer, Station } from './lan.js';

const execute = promisify(execFile);
export const device = 'car0';
const patience = 2000;
let lans = 0;

export async function ip(...args: readonly string[]): Promise<string> {
  return (await execute('ip', args)).stdout;
}

/** Many commands of one `ip`, which is how they come as fast as can be. */
async function batch(namespace: string, lines: readonly string[]): Promise<void> {
  const child = execute('ip', ['-n', namespace, '-batch', '-']);
  child.child.stdin?.end(`${lines.join('\n')}\n`);
  await child;
}

export interface KernelLan extends Lan {
  readonly stationNamespace: string;
  readonly peerNamespace: string;
  /** The station's process, which is another one when the last has died. */
  stationDriver(): Driver;
  peerDriver(): Driver;
  /** The index of the station's interface. */
  index(): Promise<number>;
  /**
   * Pulls the cable and plugs it into a second interface of the station; until `unplug`, all that
   * the peer sends arrives there, where another process has joined the group.
   */
  plugElsewhere(): Promise<{ unplug(): Promise<void> }>;
  /** The peer's whole host vanishes, and the cable with it. */
  removePeer(): Promise<void>;
}

export async function createKernelLan(backend: Backend): Promise<KernelLan> {
  const lan = new TwoNamespaces(backend, await bundleDriver());
  await lan.prepare();
  return lan;
}

class TwoNamespaces implements KernelLan {
  readonly stationNamespace: string;
  readonly peerNamespace: string;
  readonly station: Station;
  readonly peer: Peer;
  readonly #bundle: Bundle;
  #stationDriver: Driver | undefined;
  #peerDriver: Driver | undefined;
  #lastIndex = 0;

  constructor(backend: Backend, bundle: Bundle) {
    lans += 1;
    const prefix = `tscarp-link-${process.pid}-${lans}`;
    this.stationNamespace = `${prefix}-a`;
    this.peerNamespace = `${prefix}-b`;
    this.#bundle = bundle;
    const call = (name: string, args = {}): Promise<unknown> =>
      this.stationDriver().call(name, { backend, device, groups: [group], ...args });
    this.station = {
      ...listenWith(call),
      open: async (on = device) => void (await call('open', { device: on })),
      send: async (frame) => void (await call('send', { frame: hex(frame) })),
      refresh: async () => (await call('refresh')) === true,
      close: async () => void (await call('close')),
    };
    const tell = (name: string, args = {}): Promise<unknown> => this.peerDriver().call(name, args);
    this.peer = {
      ...listenWith(tell),
      send: async (frame) => void (await tell('send', { frame: hex(frame) })),
    };
  }

  stationDriver(): Driver {
    return running(this.#stationDriver);
  }

  peerDriver(): Driver {
    return running(this.#peerDriver);
  }

  async prepare(): Promise<void> {
    for (const namespace of [this.stationNamespace, this.peerNamespace]) {
      await ip('netns', 'add', namespace);
      // Silence: every frame that the peer sees shall be one that a test is about.
      await quiet(namespace);
    }
    await batch(this.peerNamespace, [
      'link add br0 type bridge stp_state 0 forward_delay 0 mcast_snooping 0',
      'link set br0 up',
    ]);
    await this.create('new');
    await this.setUp(true);
    this.#peerDriver = new Driver(this.peerNamespace, this.#bundle.file);
    await this.#peerDriver.call('tap', { device: 'br0' });
  }

  async restore(): Promise<void> {
    if ((await this.index()) === 0) await this.create('new');
    await this.setUp(true);
    await this.#renewDriver();
    await this.peer.clear();
  }

  async #renewDriver(): Promise<void> {
    const driver = this.#stationDriver;
    if (driver?.alive && (await driver.call('reset')) === true) return;
    await driver?.end();
    this.#stationDriver = new Driver(this.stationNamespace, this.#bundle.file);
  }

  async setUp(up: boolean): Promise<void> {
    await batch(this.stationNamespace, [`link set ${device} ${up ? 'up' : 'down'}`]);
  }

  async flap(times: number): Promise<void> {
    const once = [`link set ${device} down`, `link set ${device} up`];
    await batch(this.stationNamespace, new Array<string[]>(times).fill(once).flat());
  }

  async remove(): Promise<void> {
    this.#lastIndex = await this.index();
    await batch(this.stationNamespace, [`link del ${device}`]);
  }

  async create(index: 'same' | 'new'): Promise<void> {
    const wanted = index === 'same' ? `index ${this.#lastIndex}` : '';
    await batch(this.stationNamespace, [
      `link add ${device} ${wanted} type veth peer name port0 netns ${this.peerNamespace}`,
    ]);
    await batch(this.peerNamespace, ['link set port0 master br0 up']);
  }

  async index(): Promise<number> {
    const links = JSON.parse(await ip('-n', this.stationNamespace, '-j', 'link', 'show'));
    const ours = links.find((link: { ifname: string }) => link.ifname === device);
    return ours?.ifindex ?? 0;
  }

  async plugElsewhere(): Promise<{ unplug(): Promise<void> }> {
    const other = 'other0';
    await batch(this.stationNamespace, [
      `link add ${other} type veth peer name port1 netns ${this.peerNamespace}`,
      `link set ${other} up`,
    ]);
    await batch(this.peerNamespace, ['link set port1 master br0 up', 'link set port0 down']);
    const neighbour = new Driver(this.stationNamespace, this.#bundle.file);
    await neighbour.call('open', { backend: 'packet', device: other, groups: [group] });
    return {
      unplug: async () => {
        await neighbour.end();
        await batch(this.stationNamespace, [`link del ${other}`]);
        await batch(this.peerNamespace, ['link set port0 up']);
      },
    };
  }

  async removePeer(): Promise<void> {
    await this.#peerDriver?.end();
    this.#peerDriver = undefined;
    await ip('netns', 'del', this.peerNamespace);
  }

  async end(): Promise<void> {
    await this.#stationDriver?.end();
    await this.#peerDriver?.end();
    await ip('netns', 'del', this.stationNamespace);
    if (this.#peerDriver !== undefined) await ip('netns', 'del', this.peerNamespace);
    this.#bundle.remove();
  }
}

function running(driver: Driver | undefined): Driver {
  if (driver === undefined) throw new Error('The driver is not running.');
  return driver;
}

type Call = (name: string, args?: Readonly<Record<string, unknown>>) => Promise<unknown>;

function listenWith(call: Call): Listener {
  return {
    frames: async (count, milliseconds = patience) =>
      (await call('frames', { count, milliseconds })) as string[],
    clear: async () => void (await call('clear')),
  };
}

async function quiet(namespace: string): Promise<void> {
  const settings = ['all', 'default'].map((name) => `net.ipv6.conf.${name}.disable_ipv6=1`);
  await execute('ip', ['netns', 'exec', namespace, 'sysctl', '-qw', ...settings]);
}
