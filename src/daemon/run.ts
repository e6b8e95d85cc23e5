// The life of a daemon: start, signals, pid file, control socket, and an orderly end.

import { formatIpv4 } from '../protocol/address.js';
import type { Config } from './config.js';
import { type Command, Meeting, type Reply, socketPath } from './control.js';
import { Instance, type Outcome, type Ports } from './instance.js';
import { type Keeper, keepControl } from './keep-control.js';
import type { Level, Logger } from './log.js';
import { type Pidfile, writePidfile } from './pidfile.js';
import { type Placement, place } from './placement.js';
import { describeFailure, describeStart } from './start-failure.js';

export interface Message {
  readonly level: Level;
  readonly text: string;
}

export interface RunOptions {
  readonly config: Config;
  /** What reading the command line had to say. */
  readonly messages: readonly Message[];
  readonly ports: Ports;
  readonly logger: Logger;
  /** Called once when the daemon listens and is in BACKUP, or with what stopped it before that. */
  ready(outcome: Readiness): void;
}

export type Readiness =
  | { readonly ok: true; readonly warnings?: readonly string[] }
  | { readonly ok: false; readonly status: number; readonly lines: readonly string[] };

/** How a daemon ended: with an exit status, or by letting a signal have its default effect. */
export type Ending = { readonly status: number } | { readonly signal: NodeJS.Signals };

/** For its down script; after that there are two, as there would be with ucarp. */
const replacePatienceMs = 10_000;

const endingSignals = ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT'] as const;

export async function run(options: RunOptions): Promise<Ending> {
  const { config, logger, ports } = options;
  for (const { level, text } of options.messages) logger.log(level, text);
  const warnings: string[] = [];
  const warn = (text: string): void => {
    logger.log('warning', text);
    // ucarp says nothing to whom it leaves.
    if (config.personality === 'tscarp') warnings.push(text);
  };
  let instance: Instance | undefined;
  let control: Keeper | undefined;
  try {
    const placement = await place(config, ports);
    if (config.personality === 'tscarp') warnOfScripts(config, ports, warn);
    control = openControl(config, placement.interfaceName, logger, () => instance);
    let problem = await control.tried;
    refuseTwin(problem, config, placement.interfaceName);
    if (isObsolete(problem, config, placement)) {
      logger.log('info', `Replacing process ${problem.pid}, which runs the same group`);
      if (await control.replace(problem, replacePatienceMs)) problem = undefined;
    }
    instance = await Instance.start(config, placement, ports, logger);
    if (problem !== undefined) warn(withoutControl(problem));
  } catch (error) {
    const failure = describeFailure(error, config);
    for (const line of failure.lines) logger.log('error', line);
    options.ready({ ok: false, ...failure });
    control?.close();
    ports.addresses.close();
    return { status: failure.status };
  }
  const end = ended(instance, logger);
  logger.log('info', describeStart(config, instance.interfaceName));
  const pidfile = openPidfile(config, warn);
  options.ready(warnings.length === 0 ? { ok: true } : { ok: true, warnings });
  const ending = await stop(instance, await end, logger);
  control.close();
  pidfile?.remove();
  return ending;
}

type EndReason = { readonly signal: NodeJS.Signals } | { readonly error: unknown };

/**
 * Resolves when a signal or a fault of our own asks for the end; answers the other signals
 * meanwhile.
 */
function ended(instance: Instance, logger: Logger): Promise<EndReason> {
  const { vhid } = instance.config;
  process.on('SIGUSR1', () => {
    const state = instance.isMaster() ? 'MASTER' : 'BACKUP';
    logger.log('info', `${state} on ${instance.interfaceName} id ${vhid}`);
  });
  process.on('SIGUSR2', () => {
    logger.log('debug', 'Caught signal (USR2) considering going down');
    instance.demote();
  });
  return new Promise((resolve) => {
    for (const signal of endingSignals) process.on(signal, () => resolve({ signal }));
    process.on('uncaughtException', (error) => resolve({ error }));
  });
}

/**
 * Without -z ucarp dies at once and leaves the address to its scripts' fate; so do we when the
 * address is theirs, but for the goodbye that lets a peer take over at once. An address of ours
 * always goes.
 */
async function stop(instance: Instance, reason: EndReason, logger: Logger): Promise<Ending> {
  const { config } = instance;
  if ('error' in reason) {
    logBug(reason.error, logger);
    await instance.stop({ keepAddresses: false }).catch((error) => logBug(error, logger));
    return { status: 70 }; // EX_SOFTWARE of sysexits.h
  }
  const clean = config.shutdown || config.manageAddress;
  if (clean && config.downscript !== undefined) {
    logger.log('debug', `sighandler_exit(): Calling [${config.downscript}] and exiting`);
  }
  const released = await instance.stop({ keepAddresses: !clean });
  if (!released) {
    const text = 'The address could not be removed and is still on this host; see: ip address';
    logger.log('error', text);
    return { status: 1 };
  }
  return clean ? { status: 0 } : { signal: reason.signal };
}

function logBug(error: unknown, logger: Logger): void {
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  logger.log('error', `This is a bug in tscarp: ${text}`);
}

function openControl(
  { runDir, vhid }: Config,
  interfaceName: string,
  logger: Logger,
  instance: () => Instance | undefined,
): Keeper {
  const answer = (command: Command): Reply => {
    const running = instance();
    if (running === undefined) return { ok: false, error: 'the daemon is starting' };
    if (command === 'status') return { ok: true, status: running.status() };
    if (command === 'stop') {
      process.emit('SIGTERM');
      return { ok: true, status: running.status() };
    }
    return reply(running, command === 'demote' ? running.demote() : running.promote());
  };
  return keepControl({ path: socketPath(runDir, vhid, interfaceName), runDir, logger, answer });
}

/**
 * ucarp ends when its interface goes down, and Debian's hook counts on that: ifup starts another.
 * Ours waits for the interface; so that there are not two afterwards, which would not hear each
 * other, the one that has seen the interface go makes room for the one that is started anew. So
 * does one that does the very same.
 */
function isObsolete(
  problem: Error | undefined,
  { personality, address }: Config,
  { source }: Placement,
): problem is Meeting {
  if (personality !== 'ucarp' || !(problem instanceof Meeting) || !problem.isTwin) return false;
  const { status } = problem;
  if (status === undefined || status.source !== formatIpv4(source)) return false;
  return status.counters.linkLost > 0 || status.addresses.includes(formatIpv4(address));
}

/** Better than when the address is needed. */
function warnOfScripts(
  { upscript, downscript }: Config,
  { hooks }: Ports,
  warn: (text: string) => void,
): void {
  for (const path of [upscript, downscript]) {
    const problem = path === undefined ? undefined : hooks.problem(path);
    if (problem !== undefined) warn(`The script ${path} cannot be run: ${problem}`);
  }
}

function withoutControl({ message }: Error): string {
  return `No control socket, so tscarp status cannot see this daemon: ${message}`;
}

/**
 * A second daemon for the same group on the same host would take the address away from the first
 * one, and then both would be master. Under ucarp's name it is let do that, as ucarp is.
 */
function refuseTwin(problem: Error | undefined, config: Config, interfaceName: string): void {
  if (config.personality === 'ucarp' || !(problem instanceof Meeting) || !problem.isTwin) return;
  const who = problem.pid === undefined ? '' : ` by process ${problem.pid}`;
  throw new Error(
    `vhid ${config.vhid} on ${interfaceName} is run${who} already: end that one first, ` +
      'or see "tscarp status"',
  );
}

function reply(instance: Instance, outcome: Outcome): Reply {
  if (!outcome.ok) return { ok: false, error: outcome.text };
  return { ok: true, status: instance.status(), text: outcome.text };
}

function openPidfile({ pidfile }: Config, warn: (text: string) => void): Pidfile | undefined {
  if (pidfile === undefined) return undefined;
  try {
    return writePidfile(pidfile, warn);
  } catch (error) {
    warn(`No pid file: ${(error as Error).message}`);
    return undefined;
  }
}
