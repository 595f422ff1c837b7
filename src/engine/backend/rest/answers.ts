import { AppError, systemCode, textOf } from '#base'
import { backendError } from '../errors.ts'
import { BadList } from './list-items.ts'
import { WayEnded, type Answer } from './transport.ts'

export type Verb = 'create' | 'list' | 'load' | 'remove' | 'save'

/** What was asked of which place. */
export interface Asked {
  readonly place: string
  readonly verb: Verb
  /** For messages. */
  readonly file: string
}

/** Nothing that the server wrote is in the text, because it knows our password. */
export function refusal({ place, verb, file }: Asked, { status }: Answer): AppError {
  const denied = (reason: string): AppError =>
    backendError('backend.denied', { place, verb, file, reason: `${reason} (status ${status})` })
  const unavailable = (reason: string): AppError =>
    backendError('backend.unavailable', { place, verb, file, reason: `${reason} (status ${status})` })
  switch (status) {
    case 400:
      return verb === 'save'
        ? unavailable('it got other bytes than the name promises')
        : denied('it understood nothing')
    case 401:
      return denied('user or password is not right')
    case 403:
      return denied(verb === 'remove' ? 'it removes nothing, as a server that only appends' : 'it refuses')
    case 404:
      return verb === 'load' || verb === 'remove'
        ? backendError('backend.missing', { file, place })
        : backendError('backend.place-missing', { place })
    case 413:
      return denied('it takes no file so large')
    case 408:
    case 425:
    case 429:
      return unavailable('it asks us to come back later')
    case 507:
      return backendError('backend.full', { file, place })
    default:
      if (status >= 300 && status < 400) return denied('it sends us to another address, where we do not go')
      return status >= 500 ? unavailable('it has a trouble of its own') : denied('it is no server for restic')
  }
}

/** An answer that cannot be right, in words of ours. */
export function nonsense({ place, verb, file }: Asked, reason: string): AppError {
  return backendError('backend.unavailable', { place, verb, file, reason: `its answer makes no sense: ${reason}` })
}

/** What broke on the way, in words of ours. */
export function translate(thrown: unknown, asked: Asked): AppError {
  const { place, verb, file } = asked
  if (thrown instanceof BadList) return nonsense(asked, textOf(thrown))
  if (thrown instanceof AppError) return thrown
  if (thrown instanceof WayEnded) {
    const reason = textOf(thrown)
    return backendError(
      thrown.isFinal ? 'backend.denied' : 'backend.unavailable',
      { place, verb, file, reason },
      thrown,
    )
  }
  const code = systemCode(thrown)
  if (code !== undefined && isDistrust(code)) {
    const reason = `its certificate is not trusted (${code})`
    return backendError('backend.denied', { place, verb, file, reason }, thrown)
  }
  return backendError('backend.unavailable', { place, verb, file, reason: wayOf(thrown, code) }, thrown)
}

/** The codes of OpenSSL and Node for certificates. */
function isDistrust(code: string): boolean {
  return /CERT|SELF_SIGNED|UNABLE_TO_(?:GET|VERIFY|DECRYPT)|HOSTNAME_MISMATCH/.test(code)
}

function wayOf(thrown: unknown, code: string | undefined): string {
  switch (code) {
    case 'ECONNREFUSED':
      return 'nobody answers there (ECONNREFUSED)'
    case 'ECONNRESET':
    case 'EPIPE':
    case 'ERR_STREAM_PREMATURE_CLOSE':
      return `the connection broke off (${code})`
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `its name is not known (${code})`
    case undefined:
      return textOf(thrown)
    default:
      return code.startsWith('HPE_') ? `it does not speak HTTP (${code})` : `the connection failed (${code})`
  }
}
