import { AppError, systemCode, textOf } from '#base'
import { backendError } from '../errors.ts'
import { Stalled } from './watch.ts'

export type Verb = 'save' | 'load' | 'list' | 'remove' | 'open' | 'lock'

/** What an operation was about, for its error. */
export interface Subject {
  readonly place: string
  readonly verb: Verb
  readonly file: string
}

/** What of an answer tells what went wrong. The words of a server are left out: some repeat the key that was used. */
interface Answer {
  readonly name: string
  readonly status: number | undefined
}

const placeMissing = new Set(['NoSuchBucket'])
const full = new Set([
  'QuotaExceeded',
  'InsufficientStorage',
  'InsufficientCapacity',
  'NotEnoughStorage',
  'StorageQuotaExceeded',
  'XMinioStorageFull',
  'XMinioAdminBucketQuotaExceeded',
])
/** Worth another try, though their status says that the request was wrong. */
const passing = new Set([
  'RequestTimeout',
  'BadDigest',
  'IncompleteBody',
  'SlowDown',
  'TooManyRequests',
  'OperationAborted',
  'ConditionalRequestConflict',
])
/** What a person can do about a refusal, by its code. */
const refusals: Readonly<Record<string, string>> = {
  AuthorizationHeaderMalformed: 'the region is not that of the bucket',
  AuthorizationQueryParametersError: 'the region is not that of the bucket',
  ExpiredToken: 'the access key has expired',
  InvalidAccessKeyId: 'the access key is not known there',
  PermanentRedirect: 'the bucket is in another region, or has another endpoint',
  RequestTimeTooSkewed: 'the clock of this machine is wrong',
  SignatureDoesNotMatch: 'the secret key does not fit the access key',
  AccessDenied: 'these keys may not do that',
}
const bareRefusals: Readonly<Record<number, string>> = {
  301: 'PermanentRedirect',
  401: 'AccessDenied',
  403: 'AccessDenied',
}
/** Certificates do not get better by trying again. */
const untrusted = /^(?:CERT_|ERR_TLS_CERT|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_)/

/** The error of the SDK, or of the connection, in words of ours. It keeps no headers: they hold the access key. */
export function translate(thrown: unknown, subject: Subject): AppError {
  if (thrown instanceof AppError) return thrown
  const { place, verb, file } = subject
  const answer = answerOf(thrown)
  if (answer === undefined) return translateConnection(thrown, subject)
  const { name, status = 0 } = answer
  const cause = new Error(`${name} (HTTP ${status})`)
  if (placeMissing.has(name)) return backendError('backend.place-missing', { place }, cause)
  if (full.has(name) || status === 507) return backendError('backend.full', { file, place }, cause)
  if (passing.has(name) || status >= 500 || status === 408 || status === 429) {
    return backendError('backend.unavailable', { place, verb, file, reason: `the server says ${name}` }, cause)
  }
  if (status === 412) return backendError('backend.conflict', { file, place }, cause)
  if (status === 416) {
    return backendError(
      'backend.damaged',
      { file, place, reason: 'it ends before the bytes that were asked for' },
      cause,
    )
  }
  if (status === 404) {
    return verb === 'load' || verb === 'remove' || verb === 'lock'
      ? backendError('backend.missing', { file, place }, cause)
      : backendError('backend.place-missing', { place }, cause)
  }
  // because the answer to a HEAD has a status and no code
  const code = refusals[name] === undefined ? (bareRefusals[status] ?? name) : name
  const reason = refusals[code] ? `${refusals[code]} (${code})` : `the server says ${code} (HTTP ${status})`
  return backendError('backend.denied', { place, verb, file, reason }, cause)
}

/** The code of the server's answer, or undefined when none came. */
export function answerOf(thrown: unknown): Answer | undefined {
  if (!(thrown instanceof Error) || !('$metadata' in thrown)) return undefined
  const { httpStatusCode } = thrown.$metadata as { readonly httpStatusCode?: number }
  return httpStatusCode === undefined ? undefined : { name: thrown.name, status: httpStatusCode }
}

function translateConnection(thrown: unknown, { place, verb, file }: Subject): AppError {
  const code = systemCode(thrown) ?? ''
  const words = thrown instanceof Stalled ? thrown.message : code || textOf(thrown)
  const cause = new Error(textOf(thrown))
  if (untrusted.test(code)) {
    const reason = `its certificate is not to be trusted (${code})`
    return backendError('backend.denied', { place, verb, file, reason }, cause)
  }
  return backendError('backend.unavailable', { place, verb, file, reason: words }, cause)
}
