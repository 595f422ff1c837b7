import { AppError, type ErrorKind } from '#base'

/** What the process tells the shell; 0, 1, 3, 10, 11, 12 and 130 mean what they mean in restic. */
export const exit = {
  done: 0,
  failed: 1,
  usage: 2,
  incomplete: 3,
  damaged: 4,
  noRepository: 10,
  locked: 11,
  wrongPassword: 12,
  interrupted: 130,
} as const

export type ExitCode = (typeof exit)[keyof typeof exit]

const byKind: Record<ErrorKind, ExitCode> = {
  invalid: exit.usage,
  missing: exit.failed,
  conflict: exit.failed,
  locked: exit.locked,
  denied: exit.failed,
  unavailable: exit.failed,
  damaged: exit.damaged,
  cancelled: exit.interrupted,
}

const byCode: Readonly<Record<string, ExitCode>> = {
  'repository.missing': exit.noRepository,
  'repository.password': exit.wrongPassword,
}

/** The exit code of a command that threw `error`. */
export function exitCodeOf(error: unknown): ExitCode {
  return error instanceof AppError ? (byCode[error.code] ?? byKind[error.kind]) : exit.failed
}
