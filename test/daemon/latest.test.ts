// One thing at a time, and of those that wait only the last.

import { expect, test } from 'vitest';
import { Latest } from '../../src/daemon/latest.js';

/** Work that is noted when it begins and ends when it is told to. */
function work(name: string, done: string[]) {
  let end: (error?: Error) => void = () => undefined;
  const promise = new Promise<void>((resolve, reject) => {
    end = (error) => (error === undefined ? resolve() : reject(error));
  });
  const begin = (): Promise<void> => {
    done.push(name);
    return promise;
  };
  return { begin, end: (error?: Error) => end(error) };
}

test('what is asked for begins at once, or when what runs has ended', async () => {
  const done: string[] = [];
  const latest = new Latest();
  const [one, two] = [work('one', done), work('two', done)];
  const first = latest.do(one.begin);
  const second = latest.do(two.begin);
  expect(done).toEqual(['one']);
  one.end();
  expect(await first).toBe(true);
  expect(done).toEqual(['one', 'two']);
  two.end();
  expect(await second).toBe(true);
});

test('of what waits only the last is done, and the others learn of it at once', async () => {
  const done: string[] = [];
  const latest = new Latest();
  const one = work('one', done);
  const running = latest.do(one.begin);
  const outcomes: Promise<boolean>[] = [];
  for (let count = 0; count < 1_000; count += 1) {
    const { begin, end } = work(String(count), done);
    end();
    outcomes.push(latest.do(begin));
  }
  const last = outcomes.pop();
  expect(new Set(await Promise.all(outcomes))).toEqual(new Set([false]));
  one.end();
  expect([await running, await last]).toEqual([true, true]);
  expect(done).toEqual(['one', '999']);
});

test('a failure is told to whoever asked, and the next one begins all the same', async () => {
  const done: string[] = [];
  const latest = new Latest();
  const [one, two] = [work('one', done), work('two', done)];
  const first = latest.do(one.begin);
  const second = latest.do(two.begin);
  one.end(new Error('why'));
  await expect(first).rejects.toThrow('why');
  two.end(new Error('why not'));
  await expect(second).rejects.toThrow('why not');
  expect(done).toEqual(['one', 'two']);
});

test('is idle when nothing runs and nothing waits', async () => {
  const latest = new Latest();
  await latest.idle();
  const [one, two] = [work('one', []), work('two', [])];
  void latest.do(one.begin);
  const second = latest.do(two.begin).catch(() => undefined);
  let idle = false;
  const wait = latest.idle().then(() => {
    idle = true;
  });
  one.end();
  await Promise.resolve();
  await new Promise(setImmediate);
  expect(idle).toBe(false);
  two.end(new Error('why'));
  await Promise.all([wait, second]);
  expect(idle).toBe(true);
});
