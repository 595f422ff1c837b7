import { modelError } from './errors.ts'

/** Where a vault lies. */
export type Location =
  | {
      readonly kind: 'local'
      /** Absolute, without `.` or `..` parts and without a slash at its end. */
      readonly path: string
    }
  | {
      readonly kind: 'sftp'
      readonly user?: string
      readonly host: string
      readonly port?: number
      /** Absolute, or below the login folder when it begins with `./`. */
      readonly path: string
    }
  | {
      readonly kind: 's3'
      /** `https://host` or, on loopback, `http://host:port`. */
      readonly endpoint: string
      readonly bucket: string
      /** Without slashes at its ends; may be empty. */
      readonly prefix: string
    }
  | {
      readonly kind: 'rest'
      /** `https://user@host/path/`. */
      readonly url: string
    }
  | {
      /** A REST server that the login's forced command starts: `rclone serve restic --stdio`. */
      readonly kind: 'rest-ssh'
      readonly user?: string
      readonly host: string
      readonly port?: number
      /** Below what the command serves, without slashes at its ends; may be empty. */
      readonly path: string
    }

/**
 * Reads an absolute path, `sftp://`, `s3://`, `s3+http://` (loopback only), `rest:https://` or `rest+ssh://`.
 *
 * @throws `location.invalid`.
 */
export function parseLocation(text: string): Location {
  if (text.startsWith('/')) return parseLocal(text)
  const scheme = /^[a-z0-9+]+:/i.exec(text)?.[0].toLowerCase()
  switch (scheme) {
    case 'sftp:':
      return parseSftp(text)
    case 's3:':
    case 's3+http:':
      return parseS3(text, scheme)
    case 'rest:':
      return parseRest(text)
    case 'rest+ssh:':
      return parseRestOverSsh(text)
    default:
      throw refuse(
        text,
        scheme
          ? `${scheme}// is none of sftp://, s3://, s3+http://, rest:https://, rest+ssh://`
          : 'a local path is absolute, for example /var/backups/bewaar',
      )
  }
}

/** The form that {@link parseLocation} reads. It holds no secret. */
export function formatLocation(location: Location): string {
  switch (location.kind) {
    case 'local':
      return location.path
    case 'sftp':
      return `sftp://${formatLogin(location)}${encode(location.path.replace(/^(?=\.)/, '/'))}`
    case 's3': {
      const address = location.endpoint.replace(/^https:/, 's3:').replace(/^http:/, 's3+http:')
      return `${address}/${location.bucket}${location.prefix && `/${encode(location.prefix)}`}`
    }
    case 'rest':
      return `rest:${location.url}`
    case 'rest-ssh':
      return `rest+ssh://${formatLogin(location)}/${location.path}`
    default:
      return location satisfies never
  }
}

function formatLogin({ user, host, port }: { user?: string; host: string; port?: number }): string {
  return `${user === undefined ? '' : `${encodeURIComponent(user)}@`}${host}${port === undefined ? '' : `:${port}`}`
}

/** The place of a project's repository in a vault. */
export function locationIn(vault: Location, project: string): Location {
  switch (vault.kind) {
    case 'local':
    case 'sftp':
      return { ...vault, path: `${vault.path.replace(/\/$/, '')}/${project}` }
    case 's3':
      return { ...vault, prefix: vault.prefix === '' ? project : `${vault.prefix}/${project}` }
    case 'rest':
      return { ...vault, url: `${vault.url}${project}/` }
    case 'rest-ssh':
      return { ...vault, path: vault.path === '' ? project : `${vault.path}/${project}` }
    default:
      return vault satisfies never
  }
}

/**
 * What stock restic calls the place: `sftp://…`, `s3:https://…`, `rest:https://…`. Undefined where it has no name for it:
 * restic gives a forced command no path.
 *
 * Source: restic, "Preparing a new repository" (doc/030_preparing_a_new_repo.rst).
 */
export function resticName(location: Location): string | undefined {
  switch (location.kind) {
    case 'local':
      return location.path
    case 'sftp': // a path that begins with one slash is below the login folder, with two it is absolute
      return `sftp://${formatLogin(location)}/${encode(location.path.replace(/^\.\//, ''))}`
    case 's3':
      return `s3:${location.endpoint}/${location.bucket}${location.prefix && `/${encode(location.prefix)}`}`
    case 'rest':
      return `rest:${location.url}`
    case 'rest-ssh':
      return undefined
    default:
      return location satisfies never
  }
}

/** @returns the path without empty, `.` and `..` parts and without a slash at its end; `path` must be absolute. */
export function normalPath(path: string): string {
  const parts: string[] = []
  for (const part of path.split('/')) {
    if (part === '..') parts.pop()
    else if (part !== '' && part !== '.') parts.push(part)
  }
  return `/${parts.join('/')}`
}

/** Whether the absolute path `inner` is `outer` or lies below it. */
export function isWithin(inner: string, outer: string): boolean {
  const root = normalPath(outer)
  const path = normalPath(inner)
  return path === root || path.startsWith(root === '/' ? '/' : `${root}/`)
}

function refuse(text: string, reason: string): Error {
  return modelError('location.invalid', { text: JSON.stringify(withoutPassword(text)), reason })
}

function parseLocal(text: string): Location {
  if (text.includes('\0')) throw refuse(text, 'a path has no zero byte')
  const path = normalPath(text)
  if (path === '/') throw refuse(text, 'the root folder cannot be a vault')
  return { kind: 'local', path }
}

function parseUrl(text: string, address: string): URL {
  const url = URL.parse(address)
  if (!url || url.hostname === '') throw refuse(text, 'it has no host')
  if (url.password !== '') throw refuse(text, 'a password is never written in it')
  if (url.search !== '' || url.hash !== '') throw refuse(text, 'it cannot have a ? or # part')
  return url
}

function parseSftp(text: string): Location {
  // Because URL parsing would turn /./path into /path, and they are different folders.
  const path = /^sftp:\/\/[^/]+(\/.*)$/i.exec(text)?.[1]
  if (path === undefined || path === '/') throw refuse(text, 'it has no path, for example sftp://user@host/./bewaar')
  const url = parseUrl(text, `https://${text.slice('sftp://'.length)}`)
  const decoded = decode(text, path)
  const below = decoded.startsWith('/./')
  const folder = normalPath(below ? decoded.slice(2) : decoded)
  return {
    kind: 'sftp',
    ...(url.username === '' ? {} : { user: decode(text, url.username) }),
    host: url.hostname,
    ...portOf(text),
    path: below ? `.${folder}` : folder,
  }
}

function portOf(text: string): { port?: number } {
  const port = /^[a-z+]+:\/\/(?:[^/@]*@)?(?:\[[^\]]*\]|[^/:]*):(\d+)(?:\/|$)/i.exec(text)?.[1]
  return port === undefined ? {} : { port: Number(port) }
}

function parseS3(text: string, scheme: 's3:' | 's3+http:'): Location {
  const protocol = scheme === 's3:' ? 'https' : 'http'
  const url = parseUrl(text, `${protocol}:${text.slice(scheme.length)}`)
  if (url.username !== '') throw refuse(text, 'keys are not written in it, use access-key and secret-key')
  if (protocol === 'http' && !isLoopback(url.hostname)) {
    throw refuse(text, 's3+http:// without TLS is for an endpoint on this machine only')
  }
  const [bucket = '', ...prefix] = decode(text, url.pathname)
    .split('/')
    .filter((part) => part !== '')
  if (bucket === '') throw refuse(text, 'it names no bucket, for example s3://endpoint/bucket/prefix')
  if (!/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(bucket)) throw refuse(text, `${bucket} is not the name of a bucket`)
  return { kind: 's3', endpoint: `${protocol}://${url.host}`, bucket, prefix: prefix.join('/') }
}

function parseRest(text: string): Location {
  const address = text.slice('rest:'.length)
  const url = parseUrl(text, address)
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && isLoopback(url.hostname))) {
    throw refuse(text, 'a REST server is reached by https://')
  }
  return { kind: 'rest', url: url.href.endsWith('/') ? url.href : `${url.href}/` }
}

function parseRestOverSsh(text: string): Location {
  const url = parseUrl(text, `https://${text.slice('rest+ssh://'.length)}`)
  const names = decode(text, url.pathname)
    .split('/')
    .filter((name) => name !== '')
  const odd = names.find((name) => !/^[\w.-]+$/.test(name) || /^\.+$/.test(name))
  if (odd !== undefined)
    throw refuse(text, `${JSON.stringify(odd)} cannot be a folder of it: letters, digits, - _ and .`)
  return {
    kind: 'rest-ssh',
    ...(url.username === '' ? {} : { user: decode(text, url.username) }),
    host: url.hostname,
    ...portOf(text),
    path: names.join('/'),
  }
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(host)
}

function encode(path: string): string {
  return encodeURI(path).replace(/[?#]/g, encodeURIComponent)
}

function decode(text: string, part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    throw refuse(text, 'a % in it is followed by something else than two hex digits')
  }
}

function withoutPassword(text: string): string {
  return text.replace(/(:\/\/[^/@:]*):[^/@]*@/, '$1:***@')
}
