// What is measured, and what tscarp shall stay below.

import type { Quantity } from './results.js';

export const quantities: readonly Quantity[] = [
  { id: 'start', what: 'start: execution to BACKUP', unit: 'ms', decimals: 1, target: 200 },
  { id: 'start-waiting', what: '  of which without a processor', unit: 'ms', decimals: 1 },
  { id: 'node', what: '  of which Node, doing nothing', unit: 'ms', decimals: 1 },
  { id: 'reaction', what: 'reaction: worse advert to answer', unit: 'ms', decimals: 3 },
  { id: 'wire', what: '  kernel to kernel: a ping', unit: 'ms', decimals: 3 },
  {
    id: 'decision',
    what: '  the rest: arrival to decision',
    unit: 'ms',
    decimals: 3,
    target: 0.3,
  },
  { id: 'decision-cap', what: '  the rest with --backend cap', unit: 'ms', decimals: 3 },
  { id: 'decision-raw', what: '  the rest with --backend raw', unit: 'ms', decimals: 3 },
  { id: 'announced', what: 'takeover: goodbye to gratuitous ARP', unit: 'ms', decimals: 2 },
  {
    id: 'answered',
    what: 'takeover: goodbye to ARP answered',
    unit: 'ms',
    decimals: 2,
    target: 10,
  },
  { id: 'spacing', what: 'advert spacing: deviation, median', unit: 'ms', decimals: 3, target: 2 },
  { id: 'spacing99', what: 'advert spacing: deviation, p99', unit: 'ms', decimals: 3, target: 10 },
  { id: 'memory', what: 'memory: RSS of the daemon', unit: 'MiB', decimals: 1, target: 60 },
  { id: 'memory-helpers', what: '  RSS of its helpers', unit: 'MiB', decimals: 1 },
  { id: 'memory-shared', what: '  PSS of all processes', unit: 'MiB', decimals: 1 },
  { id: 'load', what: 'CPU: one router, adverts each second', unit: '%', decimals: 3, target: 0.5 },
  { id: 'death', what: 'gap: host death', unit: 'ms', decimals: 0 },
  { id: 'death-advert', what: '  counted from its last advert', unit: 'ms', decimals: 0 },
  { id: 'stop', what: 'gap: planned stop', unit: 'ms', decimals: 1 },
  { id: 'stop-lost', what: '  echoes lost', unit: 'echoes', decimals: 0 },
  { id: 'comeback', what: 'gap: the better host is back', unit: 'ms', decimals: 1 },
  { id: 'comeback-lost', what: '  echoes lost', unit: 'echoes', decimals: 0 },
];
