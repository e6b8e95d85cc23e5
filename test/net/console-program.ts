// Writes as many lines to standard output as its argument says, through the console under test, and
// tells on standard error how many of them it could write.

import { writeSync } from 'node:fs';
import { openConsole } from '../../src/net/linux/console.js';

const write = openConsole(1);
let written = 0;
for (let line = 0; line < Number(process.argv[2]); line += 1) {
  if (write(`${String(line).padEnd(99)}\n`)) written += 1;
}
writeSync(2, String(written));
