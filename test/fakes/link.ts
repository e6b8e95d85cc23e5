// A link that sends into a journal and receives what a test delivers.

import type { Link, LinkEvents, LinkOptions, OpenLink } from '../../src/net/ports.js';
import { formatMac } from '../../src/protocol/address.js';
import { Reader } from '../../src/protocol/bytes.js';
import type { Journal } from './journal.js';

export class FakeLink implements Link {
  readonly backend = 'packet' as const;
  readonly #journal: Journal;
  #events: LinkEvents | undefined;
  options: LinkOptions | undefined;
  readonly sent: Uint8Array[] = [];
  /** What `send` throws. */
  sendError: Error | undefined;
  /** The interface is another one now, and `refresh` says so once. */
  replaced = false;
  /** What `refresh` throws. */
  refreshError: Error | undefined;
  refreshed = 0;
  closed = false;

  constructor(journal: Journal) {
    this.#journal = journal;
  }

  readonly open: OpenLink = (options, events) => {
    this.options = options;
    this.#events = events;
    return this;
  };

  send(frame: Uint8Array): void {
    if (this.sendError !== undefined) throw this.sendError;
    this.sent.push(frame);
    this.#journal.note(`send ${describeFrame(frame)}`);
  }

  refresh(): boolean {
    this.refreshed += 1;
    if (this.refreshError !== undefined) throw this.refreshError;
    const { replaced } = this;
    this.replaced = false;
    return replaced;
  }

  close(): void {
    this.closed = true;
  }

  deliver(frame: Uint8Array): void {
    this.#events?.frame(frame);
  }

  trouble(error: Error): void {
    this.#events?.trouble(error);
  }
}

/** `arp MAC` or `advertisement ADVBASE/ADVSKEW`. */
function describeFrame(frame: Uint8Array): string {
  if (frame[12] === 0x08 && frame[13] === 0x06) {
    const mac = new Reader(frame.subarray(6, 12)).mac();
    return `arp ${mac === undefined ? '?' : formatMac(mac)}`;
  }
  return `advertisement ${frame[39]}/${frame[36]}`;
}
