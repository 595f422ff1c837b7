/**
 * Key files: plain JSON, a way from one password to the master key. `data` is the master key's own JSON, sealed with the key
 * that scrypt makes of the password.
 *
 * Source: restic-format §3.
 */
import { damaged } from './errors.ts'
import * as json from './json.ts'

export interface KeyFile {
  /** RFC 3339. */
  readonly created: string
  readonly username?: string
  readonly hostname?: string
  readonly kdf: 'scrypt'
  readonly N: number
  readonly r: number
  readonly p: number
  /** 64 bytes. */
  readonly salt: Uint8Array
  /** The sealed JSON of the master key. */
  readonly data: Uint8Array
}

/** The parts of a master key, of 32, 16 and 16 bytes. */
export interface MasterKeyParts {
  readonly encrypt: Uint8Array
  readonly macK: Uint8Array
  readonly macR: Uint8Array
}

export function encodeKeyFile(key: KeyFile): Uint8Array {
  return json.encodeJson({
    created: key.created,
    username: key.username ?? '',
    hostname: key.hostname ?? '',
    kdf: key.kdf,
    N: key.N,
    r: key.r,
    p: key.p,
    salt: json.toBase64(key.salt),
    data: json.toBase64(key.data),
  })
}

const what = 'key'

/** Whether the costs can be borne is for the derivation to judge. @throws `format.damaged`. */
export function decodeKeyFile(bytes: Uint8Array): KeyFile {
  const fields = json.parseObject(bytes, what)
  if (fields['kdf'] !== 'scrypt') throw damaged(what, 'its derivation is not scrypt')
  const username = json.asText(fields['username'], what)
  const hostname = json.asText(fields['hostname'], what)
  return {
    created: json.asText(fields['created'], what),
    ...(username && { username }),
    ...(hostname && { hostname }),
    kdf: 'scrypt',
    N: json.asCount(fields['N'], what),
    r: json.asCount(fields['r'], what),
    p: json.asCount(fields['p'], what),
    salt: bytesOfLength(fields['salt'], 64),
    data: json.asBytes(fields['data'], what),
  }
}

/** The JSON that a key file seals; the same bytes as restic's. */
export function encodeMasterKey(key: MasterKeyParts): Uint8Array {
  return json.encodeJson({
    mac: { k: json.toBase64(key.macK), r: json.toBase64(key.macR) },
    encrypt: json.toBase64(key.encrypt),
  })
}

/** @throws `format.damaged` when a part has another length or is all zero. */
export function decodeMasterKey(bytes: Uint8Array): MasterKeyParts {
  const fields = json.parseObject(bytes, what)
  const mac = json.asObject(fields['mac'], what)
  const key = {
    encrypt: bytesOfLength(fields['encrypt'], 32),
    macK: bytesOfLength(mac['k'], 16),
    macR: bytesOfLength(mac['r'], 16),
  }
  for (const part of Object.values(key)) {
    if (part.every((byte) => byte === 0)) throw damaged(what, 'a part of the master key is zero')
  }
  return key
}

function bytesOfLength(value: unknown, length: number): Uint8Array {
  const bytes = json.asBytes(value, what)
  if (bytes.length !== length) throw damaged(what, `${length} bytes are expected and ${bytes.length} are there`)
  return bytes
}
