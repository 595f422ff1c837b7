/**
 * Lock files: who works on a repository, one small JSON document each.
 *
 * Source: restic-format §11.
 */
import * as json from './json.ts'

export interface LockFile {
  /** RFC 3339; when the lock was taken or refreshed. */
  readonly time: string
  readonly exclusive: boolean
  readonly hostname: string
  readonly username: string
  readonly pid: number
  readonly uid?: number
  readonly gid?: number
}

export function encodeLock(lock: LockFile): Uint8Array {
  return json.encodeJson({
    time: lock.time,
    exclusive: lock.exclusive,
    hostname: lock.hostname,
    username: lock.username,
    pid: lock.pid,
    uid: lock.uid || undefined,
    gid: lock.gid || undefined,
  })
}

const what = 'lock'

/** @throws `format.damaged`. */
export function decodeLock(bytes: Uint8Array): LockFile {
  const fields = json.parseObject(bytes, what)
  const uid = json.asCount(fields['uid'], what, json.maximumUint32)
  const gid = json.asCount(fields['gid'], what, json.maximumUint32)
  return {
    time: json.asTime(fields['time'], what),
    exclusive: json.asBoolean(fields['exclusive'], what),
    hostname: json.asText(fields['hostname'], what),
    username: json.asText(fields['username'], what),
    pid: json.asCount(fields['pid'], what),
    ...(uid && { uid }),
    ...(gid && { gid }),
  }
}
