// Runs around every test file: whatever keeps the event loop alive after the file's last hook, and
// did not before its first, was left open and fails the file. vitest's own --detectAsyncLeaks names
// the line too, but takes twice the time and only prints what it finds; use it to look closer.

import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, expect } from 'vitest';

const graceMs = 2_000;
const stepMs = 20;

/** How many of each kind are open now, less what `before` had; kinds that are gone are left out. */
function opened(before: ReadonlyMap<string, number>): string[] {
  return [...census()]
    .map(([kind, count]) => [kind, count - (before.get(kind) ?? 0)] as const)
    .filter(([, extra]) => extra > 0)
    .map(([kind, extra]) => `${extra} ${kind}`);
}

function census(): Map<string, number> {
  const counts = new Map<string, number>();
  for (const kind of process.getActiveResourcesInfo()) {
    counts.set(kind, (counts.get(kind) ?? 0) + 1);
  }
  return counts;
}

const before = census();

// The first hook that is registered is the last that runs. What is being closed needs a moment.
afterAll(async () => {
  const deadline = performance.now() + graceMs;
  while (opened(before).length > 0 && performance.now() < deadline) await delay(stepMs);
  expect(opened(before), 'left open; npx vitest run --detectAsyncLeaks says where').toEqual([]);
});
