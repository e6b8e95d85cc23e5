// A Link at the IP level, through the package `raw-socket`: where the kernel must route, or where
// the interface is a macvlan that has the virtual MAC. The kernel makes the Ethernet header, so
// frames go out with the interface's own MAC, multicast always to the group's. It receives what the
// IP stack accepts: ** deaf to whatever netfilter's INPUT chain drops, to sources that rp_filter
// refuses, and to peers that use one of our own addresses ** as source; the other backends hear all
// of these.

import type { Socket } from 'raw-socket';
import {
  broadcastMac,
  formatIpv4,
  type Ipv4,
  isMulticastIpv4,
  type Mac,
  multicastMac,
} from '../../protocol/address.js';
import { etherType, parseEthernet, serializeEthernet } from '../../protocol/ethernet.js';
import { parseIpv4Packet } from '../../protocol/ipv4.js';
import { NetError } from '../errors.js';
import type { InterfaceFacts, Link, LinkEvents, LinkOptions, OpenLink } from '../ports.js';
import {
  AF_PACKET,
  bindSocket,
  closeSocket,
  openSocket,
  SOCK_RAW,
  sendBytes,
  shielded,
} from './libc.js';
import { joinGroups, type Membership } from './membership.js';
import { nativeRefusal } from './native-refusal.js';
import { linkLayerAddress } from './packet-socket.js';
import { type Session, SessionLink } from './session-link.js';
import { Structure } from './structures.js';

const protocol = 112;
const packetLimit = 2048;
const backlogLimit = 1024;
const SOL_SOCKET = 1;
const SO_BINDTODEVICE = 25;
const IPPROTO_IP = 0;
const IP_HDRINCL = 3;
const IP_MULTICAST_IF = 32;
const IP_MULTICAST_LOOP = 34;

type RawSocketModule = Pick<typeof import('raw-socket'), 'createSocket'>;

/** A socket is closed silently as soon as nothing refers to it, its handlers notwithstanding. */
const everySocket = new Set<Socket>();

export function rawLinkOpener(module: RawSocketModule): OpenLink {
  return (options, events): Link =>
    new SessionLink({
      backend: 'raw',
      device: options.device,
      open: (facts) => new RawSession(module, facts, options, events),
    });
}

class RawSession implements Session {
  readonly #facts: InterfaceFacts;
  readonly #events: LinkEvents;
  readonly #membership: Membership;
  readonly #socket: Socket;
  #wire: Wire | undefined;
  #open = true;

  constructor(
    module: RawSocketModule,
    facts: InterfaceFacts,
    options: LinkOptions,
    events: LinkEvents,
  ) {
    this.#facts = facts;
    this.#events = events;
    this.#membership = joinGroups(facts.index, options.groups, options.device);
    try {
      this.#socket = openRawSocket(module, facts);
    } catch (error) {
      this.#membership.leave();
      throw nativeRefusal(`Cannot capture on ${facts.name}`, facts.name, error);
    }
    everySocket.add(this.#socket);
    this.#socket.on(
      'message',
      shielded((packet: Buffer) => this.#receive(packet)),
    );
    this.#socket.on(
      'error',
      shielded((error: Error | undefined) => this.#failed(error)),
    );
    this.#socket.on('close', () => this.close());
  }

  intact(): boolean {
    return this.#open && this.#membership.held();
  }

  send(bytes: Uint8Array): void {
    const { name } = this.#facts;
    if (!this.#open) throw new NetError('closed', `The capture on ${name} is closed`);
    const frame = parseEthernet(bytes);
    if (frame.ok && frame.value.type === etherType.ipv4) this.#sendPacket(frame.value.payload);
    else this.#sendFrame(bytes);
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    everySocket.delete(this.#socket);
    this.#socket.close();
    this.#wire?.close();
    this.#membership.leave();
  }

  #sendPacket(bytes: Uint8Array): void {
    const { name } = this.#facts;
    const doing = `Cannot send on ${name}`;
    const packet = parseIpv4Packet(bytes);
    if (!packet.ok) throw new NetError('unsupported', `${doing}: not an IPv4 packet`);
    const destination = formatIpv4(packet.value.destination);
    const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    try {
      this.#socket.wrap.send(buffer, 0, buffer.length, destination, () => undefined);
    } catch (error) {
      throw nativeRefusal(doing, name, error);
    }
  }

  #sendFrame(bytes: Uint8Array): void {
    this.#wire ??= openWire(this.#facts);
    this.#wire.send(bytes);
  }

  #receive(packet: Buffer): void {
    if (!this.#open) return;
    const parsed = parseIpv4Packet(packet);
    if (!parsed.ok) return; // The kernel has looked at it already.
    this.#events.frame(
      serializeEthernet({
        destination: this.#destinationMac(parsed.value.destination),
        source: 0 as Mac,
        type: etherType.ipv4,
        payload: packet,
      }),
    );
  }

  #destinationMac(address: Ipv4): Mac {
    if (isMulticastIpv4(address)) return multicastMac(address);
    return address === 0xffffffff ? broadcastMac : this.#facts.mac;
  }

  /** Comes without an error when polling failed; the package closes the socket afterwards. */
  #failed(error: Error | undefined): void {
    const { name } = this.#facts;
    const reason = error ?? 'the socket cannot be polled any more';
    if (this.#open) this.#events.trouble(nativeRefusal(`Capture on ${name}`, name, reason));
  }
}

function openRawSocket(module: RawSocketModule, facts: InterfaceFacts): Socket {
  const socket = module.createSocket({ protocol, bufferSize: packetLimit });
  const set = (level: number, option: number, value: Structure): void => {
    socket.setOption(level, option, Buffer.from(value.bytes), value.bytes.length);
  };
  try {
    set(SOL_SOCKET, SO_BINDTODEVICE, new Structure(16).text(0, facts.name));
    set(IPPROTO_IP, IP_HDRINCL, new Structure(4).u32(0, 1));
    set(IPPROTO_IP, IP_MULTICAST_IF, new Structure(12).u32(8, facts.index));
    set(IPPROTO_IP, IP_MULTICAST_LOOP, new Structure(4).u32(0, 0));
    discardBacklog(socket);
  } catch (error) {
    socket.close();
    throw error;
  }
  return socket;
}

/** Until it was bound, the socket heard every interface. */
function discardBacklog(socket: Socket): void {
  const buffer = Buffer.alloc(1);
  try {
    for (let count = 0; count < backlogLimit; count += 1) {
      socket.wrap.recv(buffer, () => undefined);
    }
  } catch {
    // Nothing is left: that is how this package says so.
  }
}

/** Sends whole frames and receives none; what is not IPv4 (ARP) has no other way out. */
interface Wire {
  send(frame: Uint8Array): void;
  close(): void;
}

function openWire({ name, index }: InterfaceFacts): Wire {
  const doing = `Cannot send on ${name}`;
  const fd = openWireSocket(doing);
  try {
    bindSocket(fd, linkLayerAddress(index, 0), doing);
  } catch (error) {
    closeSocket(fd);
    throw error;
  }
  return { send: (frame) => sendBytes(fd, frame, doing), close: () => closeSocket(fd) };
}

function openWireSocket(doing: string): number {
  try {
    return openSocket(AF_PACKET, SOCK_RAW, 0, doing);
  } catch (error) {
    throw new NetError(
      'unsupported',
      'The raw backend cannot send ARP, because this process may not open an AF_PACKET socket; ' +
        'announce the address otherwise, for instance with the sysctl arp_notify',
      error,
    );
  }
}
