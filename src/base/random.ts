import { randomBytes as systemRandomBytes } from 'node:crypto'

/** `count` bytes from the system's cryptographic generator. */
export function randomBytes(count: number): Uint8Array {
  return systemRandomBytes(count)
}

/** `bytes` random bytes as lower-case hex. */
export function randomHex(bytes: number): string {
  return systemRandomBytes(bytes).toString('hex')
}
