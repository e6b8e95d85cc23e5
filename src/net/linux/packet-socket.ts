// An AF_PACKET socket on one interface: whole Ethernet frames in and out, without promiscuous mode.

import { type Ipv4, multicastMac } from '../../protocol/address.js';
import { Writer } from '../../protocol/bytes.js';
import { NetError } from '../errors.js';
import type { InterfaceFacts } from '../ports.js';
import {
  AF_PACKET,
  attachFilter,
  bindSocket,
  closeSocket,
  control,
  lastError,
  longSize,
  openSocket,
  type Poll,
  pollSocket,
  receiveBytes,
  SOCK_RAW,
  sendBytes,
  setSocketOption,
  socketAddress,
  wouldBlock,
} from './libc.js';
import { Structure } from './structures.js';

const ETH_P_ALL = 3;
const SIOCGSTAMPNS = 0x8907;
const SOL_PACKET = 263;
const PACKET_ADD_MEMBERSHIP = 1;
const PACKET_MR_MULTICAST = 0;
const PACKET_MR_ALLMULTI = 2;
const linkLayerAddressSize = 20;
/** Frames taken per turn of the event loop, so that timers ring on time under a flood. */
const batch = 64;
const frameLimit = 2048;

export interface PacketSocketOptions {
  /** The interface; index 0 stands for all of them. */
  readonly facts: Pick<InterfaceFacts, 'name' | 'index'>;
  /** Assembled classic BPF. */
  readonly filter: Uint8Array;
  /** Groups whose hardware address the interface must accept; `all` for every multicast frame. */
  readonly groups: readonly Ipv4[] | 'all';
  frame(bytes: Uint8Array): void;
  trouble(error: NetError): void;
}

export class PacketSocket {
  readonly #device: string;
  readonly #fd: number;
  readonly #poll: Poll;
  readonly #options: PacketSocketOptions;
  readonly #buffer: Uint8Array = new Uint8Array(frameLimit);
  #open = true;

  constructor(options: PacketSocketOptions) {
    this.#options = options;
    this.#device = options.facts.name;
    const doing = `Cannot capture on ${this.#device}`;
    // Protocol 0: nothing arrives before the filter is in place and the interface is chosen.
    this.#fd = openSocket(AF_PACKET, SOCK_RAW, 0, doing);
    try {
      attachFilter(this.#fd, options.filter, doing);
      // All protocols, so that what other processes of this host send is seen as well.
      bindSocket(this.#fd, linkLayerAddress(options.facts.index, ETH_P_ALL), doing);
      if (options.facts.index !== 0) this.accept(options.groups, options.facts.index);
      this.#poll = pollSocket(this.#fd, (status) => this.#readable(status));
    } catch (error) {
      closeSocket(this.#fd);
      throw error;
    }
  }

  /**
   * False once the interface was deleted: no other one takes its place, even with the same index.
   */
  bound(): boolean {
    const address = socketAddress(this.#fd, linkLayerAddressSize);
    if (address === undefined) return false;
    return new Structure(address).readU32(4) === this.#options.facts.index;
  }

  /**
   * When the frame that is being delivered arrived, in nanoseconds since 1970, as the kernel noted
   * it; undefined where it does not. The first call is what makes the kernel note it.
   */
  arrival(): bigint | undefined {
    const timespec = new Structure(2 * longSize);
    if (!control(this.#fd, SIOCGSTAMPNS, timespec.bytes)) return undefined;
    const [seconds, nanoseconds] =
      longSize === 8
        ? [timespec.readU64(0), timespec.readU64(8)]
        : [BigInt(timespec.readU32(0)), BigInt(timespec.readU32(4))];
    return seconds * 1_000_000_000n + nanoseconds;
  }

  send(frame: Uint8Array): void {
    if (!this.#open) throw new NetError('closed', `The capture on ${this.#device} is closed`);
    sendBytes(this.#fd, frame, `Cannot send on ${this.#device}`);
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#poll.stop();
    closeSocket(this.#fd);
  }

  /**
   * Makes the interface's hardware accept the groups' frames for as long as this socket is open.
   */
  accept(groups: readonly Ipv4[] | 'all', index: number): void {
    const doing = `Cannot capture on ${this.#device}`;
    const add = (type: number, mac: Uint8Array): void => {
      const request = new Structure(16).u32(0, index).u16(4, type).u16(6, mac.length);
      request.bytes.set(mac, 8);
      setSocketOption(this.#fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, request.bytes, doing);
    };
    if (groups === 'all') add(PACKET_MR_ALLMULTI, new Uint8Array(0));
    else for (const group of groups) add(PACKET_MR_MULTICAST, macBytes(group));
  }

  #readable(status: number): void {
    for (let count = 0; count < batch && this.#open; count += 1) {
      const length = receiveBytes(this.#fd, this.#buffer);
      if (length < 0) {
        // The read that reports the interface going down also clears the socket's error.
        if (!wouldBlock()) this.#options.trouble(lastError(`Capture on ${this.#device}`));
        break;
      }
      this.#options.frame(this.#buffer.slice(0, length));
    }
    // libuv has stopped polling after an error; begin again when this callback is over.
    if (status < 0) setImmediate(() => this.#poll.restart());
  }
}

function macBytes(group: Ipv4): Uint8Array {
  return new Writer(6).mac(multicastMac(group)).bytes;
}

/** struct sockaddr_ll. */
export function linkLayerAddress(index: number, protocol: number): Uint8Array {
  return new Structure(linkLayerAddressSize).u16(0, AF_PACKET).net16(2, protocol).u32(4, index)
    .bytes;
}
