import type * as Crypto from 'node:crypto'

/** `count` bytes from the system's cryptographic generator. */
export function randomBytes(count: number): Uint8Array {
  return generator().randomBytes(count)
}

/** `bytes` random bytes as lower-case hex. */
export function randomHex(bytes: number): string {
  return generator().randomBytes(bytes).toString('hex')
}

/** Loaded when it is needed, because that takes a tenth of the time of a short command. */
function generator(): Pick<typeof Crypto, 'randomBytes'> {
  return process.getBuiltinModule('node:crypto')
}
