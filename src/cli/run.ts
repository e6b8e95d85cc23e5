// The daemon's own command line, from words to exit status: under the names tscarp and ucarp.

import { statSync } from 'node:fs';
import { isAbsolute, resolve } from 'node:path';
import type { Config } from '../daemon/config.js';
import { detach, type Errand, receiveErrand } from '../daemon/detach.js';
import { consoleLine, createLogger, type LineSink, type Logger, writeLine } from '../daemon/log.js';
import { type Ending, type Readiness, run } from '../daemon/run.js';
import { monotonicClock } from '../net/clock.js';
import { hmacSha1 } from '../net/hmac.js';
import { openAddresses } from '../net/linux/addresses.js';
import { openConsole } from '../net/linux/console.js';
import { hooks } from '../net/linux/hooks.js';
import { interfaces } from '../net/linux/interfaces.js';
import { loadBackend } from '../net/linux/open-link.js';
import { openSyslog } from '../net/linux/syslog.js';
import { version } from '../version.js';
import { type Message, parseCommandLine } from './command-line.js';
import type { Identity } from './identity.js';
import { readStart } from './read-start.js';
import { maskedArgv } from './secrets.js';

/** Resolves to how the process is to end. */
export async function runDaemon(
  argv: readonly string[],
  script: string,
  identity: Identity,
): Promise<Ending> {
  const received = await receiveErrand();
  if (received !== undefined) return live(received.errand, identity, received.report);
  const line = parseCommandLine(argv, {
    ...identity,
    version,
    env: process.env,
    rawArgv: identity.rawArgv,
    readFile: readStart,
    statMode: (path) => statSync(path).mode,
  });
  if (line.type === 'exit') {
    for (const { stream, text } of line.output) writeLine(stream === 'stdout' ? 1 : 2, text);
    logToSyslog(line.messages, identity);
    return { status: line.status };
  }
  const errand = { config: withAbsolutePaths(line.config), messages: line.messages };
  if (!errand.config.daemonize) return live(errand, identity, () => undefined);
  for (const { level, text, console } of line.messages) {
    if (console) writeLine(2, `${consoleLine(level, text)}\n`);
  }
  const outcome = await detach({ ...errand, script, maskedArgv: maskedArgv(argv) });
  return { status: reportReadiness(outcome) };
}

/** ucarp's last words reach syslog even where -B has silenced the console. */
function logToSyslog(messages: readonly Message[], { programName }: Identity): void {
  if (messages.length === 0) return;
  const syslog = openSyslog(programName, 'user');
  for (const { level, text } of messages) syslog.write(level, `[${level.toUpperCase()}] ${text}`);
}

function reportReadiness(outcome: Readiness): number {
  if (outcome.ok) {
    const warnings = outcome.warnings ?? [];
    for (const text of warnings) writeLine(2, `${consoleLine('warning', text)}\n`);
    return 0;
  }
  for (const line of outcome.lines) writeLine(2, `${consoleLine('error', line)}\n`);
  return outcome.status;
}

async function live(
  errand: Errand,
  identity: Identity,
  ready: (outcome: Readiness) => void,
): Promise<Ending> {
  const { config } = errand;
  const logger = openLogger(config, identity);
  const ports = {
    clock: monotonicClock,
    interfaces,
    addresses: openAddresses(),
    hooks,
    loadBackend,
    hmac: hmacSha1,
  };
  return run({ ...errand, ports, logger, ready });
}

function openLogger(config: Config, { programName }: Identity): Logger {
  const sinks: LineSink[] =
    config.facility === undefined ? [] : [openSyslog(programName, config.facility)];
  return createLogger({
    format: config.logFormat,
    personality: config.personality,
    debug: config.debug,
    console: config.daemonize ? undefined : { stdout: openConsole(1), stderr: openConsole(2) },
    sinks,
  });
}

/**
 * What is opened after the working directory has become `/`; but ucarp looks for its scripts there.
 */
function withAbsolutePaths(config: Config): Config {
  const absolute = (path: string): string => (isAbsolute(path) ? path : resolve(path));
  const script = (path: string | undefined): string | undefined =>
    path === undefined || !config.daemonize || config.personality === 'ucarp'
      ? path
      : absolute(path);
  return {
    ...config,
    upscript: script(config.upscript),
    downscript: script(config.downscript),
    pidfile: config.pidfile === undefined ? undefined : absolute(config.pidfile),
    runDir: absolute(config.runDir),
    stateDir: absolute(config.stateDir),
  };
}
