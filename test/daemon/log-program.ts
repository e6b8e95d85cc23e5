// Logs one line of each level with the options that its argument holds as JSON, and then what the
// sinks got.

import { writeSync } from 'node:fs';
import { createLogger, type Level } from '../../src/daemon/log.js';
import { openConsole } from '../../src/net/linux/console.js';

const got: string[] = [];
const write = (level: Level, text: string): unknown => got.push(`${level} ${text}`);
const { console: isOpen, ...options } = JSON.parse(process.argv[2] ?? '');
const console = isOpen ? { stdout: openConsole(1), stderr: openConsole(2) } : undefined;
const logger = createLogger({ ...options, console, sinks: [{ write }] });
for (const level of ['debug', 'info', 'warning', 'error'] as const) {
  logger.log(level, `100% of "${level}" %s %o`, { vhid: 1, to: 'master' });
}
writeSync(1, `sink: ${JSON.stringify(got)}\n`);
