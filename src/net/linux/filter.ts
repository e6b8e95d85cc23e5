// Classic BPF programs (the kernel drops what we do not want before it wakes us up).

import { Structure } from './structures.js';

type Instruction = readonly [code: number, ifTrue: number, ifFalse: number, operand: number];

const loadByte = 0x30;
const loadHalf = 0x28;
const jumpIfEqual = 0x15;
const finish = 0x06;
const vlanTagPresent = 0xfffff030; // SKF_AD_OFF + SKF_AD_VLAN_TAG_PRESENT
const wholePacket = 0x40000;

/** Untagged IPv4 with protocol 112, coming in or sent by another process of this host. */
export const advertisementsIpv4: readonly Instruction[] = [
  [loadByte, 0, 0, vlanTagPresent],
  [jumpIfEqual, 0, 5, 0],
  [loadHalf, 0, 0, 12],
  [jumpIfEqual, 0, 3, 0x0800],
  [loadByte, 0, 0, 23],
  [jumpIfEqual, 0, 1, 112],
  [finish, 0, 0, wholePacket],
  [finish, 0, 0, 0],
];

/**
 * Everything that sniff decodes: protocol 112, or 51 (AH) which may hold it, over IPv4 and IPv6.
 */
export const anyAdvertisements: readonly Instruction[] = [
  [loadHalf, 0, 0, 12],
  [jumpIfEqual, 0, 2, 0x0800],
  [loadByte, 0, 0, 23],
  [jumpIfEqual, 4, 3, 112],
  [jumpIfEqual, 0, 4, 0x86dd],
  [loadByte, 0, 0, 20],
  [jumpIfEqual, 1, 0, 112],
  [jumpIfEqual, 0, 1, 51],
  [finish, 0, 0, wholePacket],
  [finish, 0, 0, 0],
];

/** The program as the kernel's struct sock_filter[]. */
export function assemble(program: readonly Instruction[]): Uint8Array {
  const structure = new Structure(program.length * 8);
  for (const [index, [code, ifTrue, ifFalse, operand]] of program.entries()) {
    const at = index * 8;
    structure
      .u16(at, code)
      .u8(at + 2, ifTrue)
      .u8(at + 3, ifFalse)
      .u32(at + 4, operand);
  }
  return structure.bytes;
}
