// What the operating system refused, in a form that policy can decide on and people can read.

/** Classes of failure that are handled differently; everything else is `failed`. */
export type NetErrorCode =
  | 'not-permitted' // a capability is missing: final
  | 'no-such-device' // the interface is gone: wait for it
  | 'link-down' // the interface is down: wait for it
  | 'address-refused' // the kernel does not take the address
  | 'missing-program' // iproute2 is not installed
  | 'missing-module' // an optional package is not installed
  | 'unsupported' // this backend cannot do that
  | 'closed' // used after close()
  | 'failed';

export class NetError extends Error {
  override readonly name = 'NetError';
  readonly code: NetErrorCode;

  /** `message` is a sentence for the operator: what was being done, on what, and why it failed. */
  constructor(code: NetErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
  }
}
