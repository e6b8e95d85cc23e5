// The program: hides the password from ps before anything else is loaded, then runs the daemon or
// the subcommand that the first word names.

import { disguise, identify } from '../src/cli/identity.js';
import { surviveUserSignals } from '../src/cli/user-signals.js';

surviveUserSignals();

const [, script = 'tscarp', ...argv] = process.argv;
const identity = identify(script, argv);
disguise(identity, script, argv);

const { main } = await import('../src/cli/main.js');
const ending = await main(argv, script, identity);
if ('status' in ending) process.exit(ending.status);
process.removeAllListeners(ending.signal);
process.kill(process.pid, ending.signal);
