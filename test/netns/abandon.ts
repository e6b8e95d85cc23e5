// Run by bed.test.ts as a process of its own: builds a network with a process in it, says so, and waits
// to be killed.

import { createNetwork } from '../../src/lab/network.js';

const network = await createNetwork({
  hosts: [
    { name: 'a', nics: [{ device: 'eth0', segment: 'lan', addresses: ['10.0.0.1/24'] }] },
    { name: 'b', nics: [{ device: 'eth0', segment: 'lan', addresses: ['10.0.0.2/24'] }] },
  ],
});
const sleeper = network.host('a').launch(['sleep', '60']);
process.stdout.write(`ready ${process.pid} ${sleeper.pid}\n`);
