import { hostname, userInfo } from 'node:os'

/** Who works on a repository, as locks and keys name them. */
export interface Identity {
  readonly hostname: string
  /** '' when the system has no name for the user. */
  readonly username: string
  readonly uid: number
  readonly gid: number
  readonly pid: number
}

/** This process. */
export function thisProcess(): Identity {
  const uid = process.getuid?.() ?? 0
  const gid = process.getgid?.() ?? 0
  return { hostname: hostname(), username: nameOfUser(), uid, gid, pid: process.pid }
}

function nameOfUser(): string {
  try {
    return userInfo().username
  } catch {
    return '' // because in a container the user id often has no name
  }
}
