// Splits a stream into lines. Node's readline would turn an error of the stream into one of its
// own, which nobody listens to and which would end the process.

import type { Readable } from 'node:stream';

/** Calls back with each line that ends in a line feed; what comes after the last one is dropped. */
export function onLines(stream: Readable, line: (text: string) => void): void {
  let rest = '';
  stream.setEncoding('utf8');
  stream.on('data', (text: string) => {
    const pieces = (rest + text).split('\n');
    rest = pieces.pop() ?? '';
    for (const piece of pieces) line(piece);
  });
}
