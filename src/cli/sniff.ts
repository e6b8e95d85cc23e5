// `tscarp sniff`: writes every CARP and VRRP packet of an interface or of a pcap file, whether it
// is intact, and, given the password and the addresses, whether its sender knows them. It sends
// nothing.

import { createReadStream } from 'node:fs';
import { getSystemErrorMap } from 'node:util';
import yargs from 'yargs';
import { hmacSha1 } from '../net/hmac.js';
import { type IpAddress, parseCidr, parseIp } from '../protocol/address.js';
import {
  type CapturedFrame,
  type DecodedPacket,
  decode,
  type Secrets,
} from '../protocol/decode.js';
import { isLinkType, linkTypes } from '../protocol/link-layer.js';
import { PcapReader } from '../protocol/pcap.js';
import { readStart } from './read-start.js';
import { maximumPasswordLength, readPasswordFile } from './secrets.js';
import { humanLine, jsonLine, type Timestamp } from './sniff-lines.js';

interface LiveCapture {
  close(): void;
}

/** Opens the device, or all of them; the time is in nanoseconds since 1970, UTC. */
export type OpenLive = (
  device: string | undefined,
  onFrame: (bytes: Uint8Array, time: bigint) => void,
) => Promise<LiveCapture>;

export interface SniffIo {
  /** Gets whole lines, each at once: who reads along a pipe must not wait for a buffer to fill. */
  readonly stdout: (text: string) => void;
  readonly stderr: (text: string) => void;
  /** Colours are welcome. */
  readonly isTty: boolean;
  readonly openLive: OpenLive;
  /** Ends a capture in good order (Ctrl-C). */
  readonly signal?: AbortSignal;
}

interface Options {
  readonly device: string | undefined;
  readonly file: string | undefined;
  readonly json: boolean;
  readonly secrets: Secrets;
  /** Why digests will stay unchecked although something was given to check them with. */
  readonly advice: string | undefined;
}

type CommandLine =
  | { readonly type: 'options'; readonly options: Options }
  | { readonly type: 'help'; readonly text: string }
  | { readonly type: 'problems'; readonly problems: readonly string[] };

const usage = `tscarp sniff [--if IF | --read FILE] [--pass PW --addr VIP...] [--json]

Shows every CARP and VRRP packet on the wire or in a capture file.`;

/** `argv` is what follows the word `sniff`; resolves to the exit status. */
export async function sniff(argv: readonly string[], io: SniffIo): Promise<number> {
  const line = await readCommandLine(argv);
  switch (line.type) {
    case 'help':
      io.stdout(`${line.text}\n`);
      return 0;
    case 'problems':
      for (const problem of line.problems) complain(io, problem);
      io.stderr('Try: tscarp sniff --help\n');
      return 2;
    case 'options':
      return run(line.options, io);
  }
}

function complain(io: SniffIo, problem: string): void {
  io.stderr(`tscarp sniff: ${problem}\n`);
}

async function run(options: Options, io: SniffIo): Promise<number> {
  if (options.advice !== undefined) complain(io, options.advice);
  const counts = { carp: 0, vrrp: 0, dropped: 0 };
  const show = (frame: CapturedFrame, at: Timestamp): void => {
    const packet = decode(frame, options.secrets);
    if (packet === undefined) return;
    counts[packet.protocol] += 1;
    if (packet.drop !== undefined) counts.dropped += 1;
    io.stdout(`${formatPacket(packet, at, options.json, io.isTty)}\n`);
  };
  const capture = options.file === undefined ? captureLive : readCapture;
  const status = await capture(options, io, show);
  const { carp, vrrp, dropped } = counts;
  if (!options.json && (status === 0 || carp + vrrp > 0)) {
    io.stderr(`${carp} CARP, ${vrrp} VRRP, ${dropped} that receivers drop\n`);
  }
  return status;
}

function formatPacket(
  packet: DecodedPacket,
  at: Timestamp,
  json: boolean,
  coloured: boolean,
): string {
  return json ? jsonLine(packet, at) : humanLine(packet, at, coloured);
}

type Show = (frame: CapturedFrame, at: Timestamp) => void;

async function captureLive({ device }: Options, io: SniffIo, show: Show): Promise<number> {
  const { signal } = io;
  const linkType = linkTypes.ethernet;
  try {
    const live = await io.openLive(device, (bytes, time) => {
      show({ linkType, bytes, originalLength: bytes.length }, { time, nanoseconds: false });
    });
    await new Promise<void>((resolve) => {
      if (signal?.aborted) resolve();
      signal?.addEventListener('abort', () => resolve(), { once: true });
    });
    live.close();
    return 0;
  } catch (error) {
    complain(io, messageOf(error));
    return 1;
  }
}

async function readCapture({ file = '' }: Options, io: SniffIo, show: Show): Promise<number> {
  const reader = new PcapReader();
  const problem = await readPieces(file, io.signal, (piece) => {
    const records = reader.push(piece);
    const { header } = reader;
    if (header === undefined) return reader.problem;
    const { linkType, nanoseconds } = header;
    if (!isLinkType(linkType)) {
      return `its link type ${linkType} is not known (Ethernet, Linux cooked and raw IP are)`;
    }
    for (const { bytes, originalLength, time } of records) {
      show({ linkType, bytes, originalLength }, { time, nanoseconds });
    }
    return reader.problem;
  });
  if (io.signal?.aborted) return 0;
  const verdict = problem ?? reader.end();
  if (verdict === undefined) return 0;
  complain(io, `${file}: ${verdict}`);
  return 1;
}

/** Reads a file or a pipe to its end; what `take` or the system objects to ends it early. */
async function readPieces(
  file: string,
  signal: AbortSignal | undefined,
  take: (piece: Uint8Array) => string | undefined,
): Promise<string | undefined> {
  const path = file === '-' ? '/dev/stdin' : file;
  try {
    for await (const piece of createReadStream(path, signal === undefined ? {} : { signal })) {
      const problem = take(piece);
      if (problem !== undefined) return problem;
    }
    return undefined;
  } catch (error) {
    return `cannot be read: ${reasonOf(error)}`;
  }
}

/** The system's words alone, without call and path. */
function reasonOf(error: unknown): string {
  const errno = error instanceof Error && 'errno' in error ? Number(error.errno) : 0;
  return getSystemErrorMap().get(errno)?.[1] ?? messageOf(error);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/**
 * yargs as a parser only: it neither prints nor exits, and takes no value for a number or an
 * option.
 */
function createParser(argv: readonly string[]) {
  const text = { type: 'string', nargs: 1 } as const;
  return yargs([...argv])
    .scriptName('tscarp sniff')
    .usage(usage)
    .detectLocale(false)
    .version(false)
    .exitProcess(false)
    .parserConfiguration({
      'nargs-eats-options': true, // a password may begin with a dash
      'boolean-negation': false,
      'camel-case-expansion': false,
      'dot-notation': false,
      'greedy-arrays': false,
      'parse-positional-numbers': false,
      'short-option-groups': false, // -psecret would be -p -s -e ...
    })
    .options({
      if: { ...text, alias: 'i', describe: 'Interface; all of them if not given' },
      read: { ...text, alias: 'r', describe: 'Read this pcap file (- for standard input)' },
      pass: { ...text, alias: 'p', describe: 'Password, to check digests with' },
      passfile: { ...text, alias: 'o', describe: 'File with the password in its first line' },
      addr: { ...text, alias: 'a', describe: 'Virtual addresses, all of the group; repeatable' },
      json: { type: 'boolean', describe: 'One JSON object a line' },
    })
    .strict()
    .alias('help', 'h')
    .help();
}

async function readCommandLine(argv: readonly string[]): Promise<CommandLine> {
  let failure: string | undefined;
  let help = '';
  const parser = createParser(argv).fail((message, error) => {
    failure ??= message ?? error.message;
  });
  try {
    const given = await parser.parseAsync([...argv], {}, (_error, _argv, output) => {
      help = output;
    });
    if (failure === undefined && help !== '') return { type: 'help', text: help };
    const [stray] = given._;
    if (stray !== undefined) failure ??= `Unknown argument: ${stray}`;
    if (failure === undefined) return interpret(given);
  } catch (error) {
    failure ??= messageOf(error);
  }
  return { type: 'problems', problems: [failure.replace(/^./, (first) => first.toLowerCase())] };
}

/** What yargs makes of the options; each string is a list when it was given more than once. */
type Given = Readonly<Record<string, unknown>>;

function interpret(given: Given): CommandLine {
  const problems: string[] = [];
  const device = last(given['if']);
  const file = last(given['read']);
  if (device !== undefined && file !== undefined) {
    problems.push('--if and --read exclude each other: capture live or read a file');
  }
  if (device === '') problems.push('--if needs the name of an interface');
  if (file === '') problems.push('--read needs the name of a file');
  const addresses = readAddresses(all(given['addr']), problems);
  const password = readPassword(last(given['pass']), last(given['passfile']), problems);
  if (problems.length > 0) return { type: 'problems', problems };
  const options = { device, file, json: given['json'] === true };
  const secrets = createSecrets(password, addresses);
  const advice = adviseOn(password, addresses);
  return { type: 'options', options: { ...options, secrets, advice } };
}

function all(value: unknown): readonly string[] {
  const values: readonly unknown[] = Array.isArray(value) ? value : [value];
  return values.filter((each) => typeof each === 'string');
}

function last(value: unknown): string | undefined {
  return all(value).at(-1);
}

/** Lists with commas or spaces between; a prefix length is let pass, as the digest has none. */
function readAddresses(values: readonly string[], problems: string[]): readonly IpAddress[] {
  const addresses: IpAddress[] = [];
  for (const text of values.flatMap((value) => value.split(/[\s,]+/))) {
    const address = parseIp(text) ?? parseCidr(text)?.address;
    if (address === undefined) problems.push(`--addr: '${text}' is not an IP address`);
    else addresses.push(address);
  }
  return addresses;
}

function readPassword(
  pass: string | undefined,
  passfile: string | undefined,
  problems: string[],
): Uint8Array | undefined {
  if (pass !== undefined && passfile !== undefined) {
    problems.push('--pass and --passfile exclude each other');
    return undefined;
  }
  const read =
    passfile === undefined ? undefined : readPasswordFile(passfile, { readFile: readStart });
  if (read?.ok === false) {
    problems.push(read.problem);
    return undefined;
  }
  const password = pass === undefined ? read?.password : new TextEncoder().encode(pass);
  if (password?.length === 0) problems.push('the password is empty');
  return password;
}

function adviseOn(
  password: Uint8Array | undefined,
  addresses: readonly IpAddress[],
): string | undefined {
  if (password === undefined && addresses.length > 0) {
    return 'without --pass or --passfile, digests cannot be checked';
  }
  if (password !== undefined && addresses.length === 0) {
    return 'without --addr, the digests of CARP cannot be checked';
  }
  return undefined;
}

/** The BSDs cut longer passwords for CARP, and ucarp refuses them. */
function createSecrets(password: Uint8Array | undefined, addresses: readonly IpAddress[]): Secrets {
  if (password === undefined) return { carp: undefined, vrrpPassword: undefined };
  const hmac = hmacSha1(password.subarray(0, maximumPasswordLength));
  const carp = addresses.length === 0 ? undefined : { hmac, addresses };
  return { carp, vrrpPassword: password };
}
