import { textOf } from '#base'
import { modelError } from './errors.ts'
import type { Artifact } from './run.ts'

/** What `manifest.json` of a snapshot says: what is here, and how to know that it is whole. */
export interface Manifest {
  /** The version of this form. */
  readonly manifest: 1
  readonly project: string
  readonly title: string
  readonly type: string
  /** The run that made it. */
  readonly run: string
  /** RFC 3339, UTC. */
  readonly time: string
  /** Name of the machine that the run was on. */
  readonly host: string
  /** The project's path there. */
  readonly path: string
  /** Versions of what took part: `bewaar`, `node`, `sqlite` … */
  readonly versions: Readonly<Record<string, string>>
  readonly artifacts: readonly Artifact[]
}

/** JSON text with a fixed order of keys and a newline at its end: the same manifest gives the same bytes. */
export function encodeManifest(manifest: Manifest): string {
  const { project, title, type, run, time, host, path } = manifest
  const artifacts = manifest.artifacts.map(({ path, kind, bytes, sha256, rows, facts }) => ({
    path,
    kind,
    bytes,
    sha256,
    rows: rows && sorted(rows),
    facts: facts && sorted(facts),
  }))
  const versions = sorted(manifest.versions)
  const ordered = { manifest: 1, project, title, type, run, time, host, path, versions, artifacts }
  return `${JSON.stringify(ordered, null, 2)}\n`
}

/** Reads a manifest; keys that this version does not know are left out. @throws `manifest.damaged`. */
export function decodeManifest(text: string): Manifest {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw damaged(textOf(error), error)
  }
  const top = record(value, 'the document')
  if (top['manifest'] !== 1) throw damaged('its version is not 1')
  if (!Array.isArray(top['artifacts'])) throw damaged('artifacts is not a list')
  const field = (key: string): string => string(top[key], key)
  return {
    manifest: 1,
    project: field('project'),
    title: field('title'),
    type: field('type'),
    run: field('run'),
    time: field('time'),
    host: field('host'),
    path: field('path'),
    versions: table(top['versions'], 'versions', string),
    artifacts: top['artifacts'].map((artifact: unknown, index) => decodeArtifact(artifact, `artifacts.${index}`)),
  }
}

function decodeArtifact(value: unknown, where: string): Artifact {
  const artifact = record(value, where)
  const { sha256, rows, facts } = artifact
  if (sha256 !== undefined && !/^[0-9a-f]{64}$/.test(string(sha256, `${where}.sha256`))) {
    throw damaged(`${where}.sha256 is not a SHA-256`)
  }
  return {
    path: string(artifact['path'], `${where}.path`),
    kind: string(artifact['kind'], `${where}.kind`),
    bytes: count(artifact['bytes'], `${where}.bytes`),
    ...(sha256 === undefined ? {} : { sha256: sha256 as string }),
    ...(rows === undefined ? {} : { rows: table(rows, `${where}.rows`, count) }),
    ...(facts === undefined ? {} : { facts: table(facts, `${where}.facts`, fact) }),
  }
}

function damaged(reason: string, cause?: unknown): Error {
  return modelError('manifest.damaged', { reason }, cause)
}

function record(value: unknown, where: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw damaged(`${where} is not an object`)
  return value as Record<string, unknown>
}

function string(value: unknown, where: string): string {
  if (typeof value !== 'string') throw damaged(`${where} is not text`)
  return value
}

function count(value: unknown, where: string): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) throw damaged(`${where} is not a count`)
  return value
}

function fact(value: unknown, where: string): string | number {
  if (typeof value === 'string' || (typeof value === 'number' && Number.isFinite(value))) return value
  throw damaged(`${where} is neither text nor a number`)
}

function table<T>(value: unknown, where: string, read: (value: unknown, where: string) => T): Record<string, T> {
  const entries = Object.entries(record(value, where)).map(([key, one]) => [key, read(one, `${where}.${key}`)] as const)
  return Object.fromEntries(entries)
}

function sorted<T>(table: Readonly<Record<string, T>>): Record<string, T> {
  return Object.fromEntries(Object.entries(table).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)))
}
