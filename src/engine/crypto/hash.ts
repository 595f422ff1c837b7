import { hash } from 'node:crypto'

/** The 32 bytes of the SHA-256 of `bytes`. */
export function sha256(bytes: Uint8Array): Buffer {
  // by way of the digits, because a buffer of its own outside the heap takes longer than a small hash
  return Buffer.from(hash('sha256', bytes, 'hex'), 'hex')
}

/** The SHA-256 of `bytes` as 64 lower-case hex digits. */
export function sha256Hex(bytes: Uint8Array): string {
  return hash('sha256', bytes, 'hex')
}
