// What the contract of links is tested on: one station whose link is under test and a peer that
// sees and sends everything, with an interface between them that can be pulled, deleted and made
// again.

/** Whoever collects frames, as hexadecimal text. */
export interface Listener {
  /**
   * All frames since `clear`, as soon as there are that many, or after the time; for a frame that
   * must not come, wait for one that is sent after it.
   */
  frames(count: number, milliseconds?: number): Promise<readonly string[]>;
  clear(): Promise<void>;
}

export interface Peer extends Listener {
  send(frame: Uint8Array): Promise<void>;
}

/** A Link, wherever it runs; what it throws comes as a rejection with the same code. */
export interface Station extends Listener {
  open(device?: string): Promise<void>;
  send(frame: Uint8Array): Promise<void>;
  /** Whether it opened anew. */
  refresh(): Promise<boolean>;
  close(): Promise<void>;
}

export interface Lan {
  readonly station: Station;
  readonly peer: Peer;
  /** The station's interface exists and is up, and the station can be opened. */
  restore(): Promise<void>;
  setUp(up: boolean): Promise<void>;
  /** Down and up so many times, as fast as it can be done. */
  flap(times: number): Promise<void>;
  remove(): Promise<void>;
  /** Creates the interface again, down; with the index it had last, or with another one. */
  create(index: 'same' | 'new'): Promise<void>;
  end(): Promise<void>;
}
