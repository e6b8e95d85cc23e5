// Passwords: where they come from, and how they are kept out of the process list.

import { getopt, type Place } from './getopt.js';
import { grammar } from './options.js';

/** CARP's key has 20 bytes, and ucarp keeps the last one zero. */
export const maximumPasswordLength = 19;

/** What is needed of the file system; both throw as node:fs does. */
export interface Files {
  readonly readFile: (path: string) => Uint8Array;
  /** The permission bits, for the warning about a file that everyone can read. */
  readonly statMode?: (path: string) => number;
}

export type PasswordFile =
  | { readonly ok: true; readonly password: Uint8Array; readonly advice: readonly string[] }
  | { readonly ok: false; readonly missing: boolean; readonly problem: string };

const longestLine = 511;
const lineFeed = 0x0a;
const carriageReturn = 0x0d;
const readableByOthers = 0o004;

/**
 * The first line of a file, as ucarp reads it: at most 511 bytes, up to a NUL. A carriage return
 * belongs to the password. A problem is worded as ucarp does.
 */
export function readPasswordFile(path: string, files: Files): PasswordFile {
  try {
    const content = files.readFile(path);
    if (content.length === 0) {
      const problem = `error reading passfile ${path}: unexpected end of file`;
      return { ok: false, missing: false, problem };
    }
    const password = firstLine(content);
    return { ok: true, password, advice: adviceOn(path, password, files) };
  } catch (error) {
    const code = errorCode(error);
    const what = `${systemErrors.get(code) ?? String(error)}`;
    // A directory can be opened, and it is the reading that fails.
    const problem =
      code === 'EISDIR'
        ? `error reading passfile ${path}: ${what}`
        : `unable to open passfile ${path} for reading: ${what}`;
    return { ok: false, missing: code === 'ENOENT', problem };
  }
}

function firstLine(content: Uint8Array): Uint8Array {
  const head = content.subarray(0, longestLine);
  const end = head.findIndex((byte) => byte === lineFeed || byte === 0);
  return end < 0 ? head : head.subarray(0, end);
}

function adviceOn(path: string, password: Uint8Array, { statMode }: Files): readonly string[] {
  const advice: string[] = [];
  const mode = (statMode?.(path) ?? 0) & 0o777;
  if ((mode & readableByOthers) !== 0) {
    const text = mode.toString(8).padStart(4, '0');
    advice.push(`passfile ${path} is readable by everyone (mode ${text}): chmod 600 ${path}`);
  }
  if (password.at(-1) === carriageReturn) {
    advice.push(
      `the password in ${path} ends in a carriage return, which counts as part of it, as with ` +
        'ucarp; remove it on all hosts of the group',
    );
  }
  return advice;
}

function errorCode(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : '';
}

/** As strerror(3) words what can happen when a file is read. */
const systemErrors = new Map([
  ['EACCES', 'Permission denied'],
  ['EIO', 'Input/output error'],
  ['EISDIR', 'Is a directory'],
  ['ELOOP', 'Too many levels of symbolic links'],
  ['EMFILE', 'Too many open files'],
  ['ENAMETOOLONG', 'File name too long'],
  ['ENOENT', 'No such file or directory'],
  ['ENOTDIR', 'Not a directory'],
  ['ENXIO', 'No such device or address'],
  ['EPERM', 'Operation not permitted'],
]);

/**
 * Where a password may wait when the line has none: the file that TSCARP_PASS_FILE names, then what
 * systemd's LoadCredential= has put there for this group or for all. Undefined when nothing does.
 */
export function readWaitingPassword(
  env: Readonly<Record<string, string | undefined>>,
  vhid: number,
  files: Files,
): PasswordFile | undefined {
  const named = env['TSCARP_PASS_FILE'];
  if (named) return readPasswordFile(named, files);
  const directory = env['CREDENTIALS_DIRECTORY'];
  if (!directory) return undefined;
  for (const name of [`vip-${vhid}.pass`, 'tscarp.pass']) {
    const credential = readPasswordFile(`${directory}/${name}`, files);
    if (credential.ok || !credential.missing) return credential;
  }
  return undefined;
}

/**
 * The bytes of a password on the command line. Node decodes arguments as UTF-8 and loses what is
 * not; `rawArgv`, the words as the kernel has them, keeps it.
 */
export function passwordOnLine(
  value: string,
  { word, offset }: Place,
  rawArgv: readonly Uint8Array[] | undefined,
): Uint8Array {
  // What precedes the value in its word is an option, hence ASCII: characters are bytes there.
  return rawArgv?.[word]?.subarray(offset) ?? new TextEncoder().encode(value);
}

/** The same words with asterisks for every password, whichever way it was given. */
export function maskedArgv(argv: readonly string[]): readonly string[] {
  const words = [...argv];
  const mask = (word: number, offset: number): void => {
    const text = argv[word];
    if (text === undefined) return;
    words[word] = text.slice(0, offset) + '*'.repeat(text.length - offset);
  };
  for (const item of getopt(argv, grammar)) {
    const { word, offset } = item.place;
    if (item.type === 'option' && item.option.name === 'pass') mask(word, offset);
    if (item.type === 'error' && item.candidates.some(({ name }) => name === 'pass')) {
      // It was not understood, but may well have been meant so.
      if (item.given.includes('=')) mask(word, offset);
      else mask(word + 1, 0);
    }
  }
  return words;
}
