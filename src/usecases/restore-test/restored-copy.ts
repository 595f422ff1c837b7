import { join } from 'node:path'

import { performRestore, planRestore, RunningHash, unquoteName, type Repository } from '#engine'
import type { Artifact, Finding, Manifest } from '#model'
import { localHost, rawPathOf, type RawPath } from '#sources'
import type { Services } from '../services.ts'
import { answer, damage, joined, notice, type Answer } from './answer.ts'

/** A snapshot on the disk of this machine, as restic would restore it. */
export interface RestoredCopy {
  /** Absolute, and ours alone. */
  readonly folder: string
  readonly manifest: Manifest
  /** When the snapshot was made: milliseconds since 1970. */
  readonly madeAt: number
  readonly files: number
  readonly bytes: number
}

/**
 * Restores the whole of a snapshot into an empty folder. What the repository cannot give is found then, because every blob is compared
 * with its id.
 */
export async function restoreWhole(
  repository: Repository,
  tree: string,
  folder: string,
  progress: Services['progress'],
  project: string,
  signal: AbortSignal,
): Promise<{ readonly files: number; readonly bytes: number; readonly answer: Answer }> {
  const plan = await planRestore(repository, { tree, target: folder }, signal)
  const label = `${project}: restoring into a sandbox`
  const result = await performRestore(
    repository,
    plan,
    { progress: ({ bytes, totalBytes }) => progress({ label, done: bytes, total: totalBytes, unit: 'bytes' }) },
    signal,
  )
  const findings = [...plan.findings, ...result.findings].map(({ severity, path, text }): Finding => {
    return severity === 'notice' ? notice(path, text) : damage(path, text)
  })
  return { files: result.files, bytes: result.bytes, answer: answer(result.files, withoutRepeats(findings)) }
}

/** Because what a plan finds is found again when it is performed. */
function withoutRepeats(findings: readonly Finding[]): Finding[] {
  const seen = new Map(findings.map((finding) => [`${finding.subject}\n${finding.text}`, finding]))
  return [...seen.values()]
}

/** Where an artifact of the manifest lies. */
export function placeOf(folder: string, { path }: Pick<Artifact, 'path'>): RawPath {
  return rawPathOf(`${folder}/`) + Buffer.from(unquoteName(path)).toString('latin1')
}

/** Whether each artifact of the manifest is there, with the bytes that it had. */
export async function questionArtifacts({ folder, manifest }: RestoredCopy, signal: AbortSignal): Promise<Answer> {
  const host = localHost('/')
  const answers: Answer[] = []
  for (const artifact of manifest.artifacts) {
    const { path, bytes, sha256 } = artifact
    const place = placeOf(folder, artifact)
    const status = await host.findStatus(place)
    if (status?.kind !== 'file') {
      answers.push(answer(1, [damage(path, 'it is in the manifest, and not in the backup')]))
      continue
    }
    if (status.size !== bytes) {
      answers.push(answer(1, [damage(path, `it has ${status.size} bytes, and had ${bytes}`)]))
      continue
    }
    if (sha256 === undefined) continue
    const sum = new RunningHash()
    for await (const piece of host.read(place, signal)) sum.add(piece)
    const isSame = sum.finish() === sha256
    answers.push(answer(1, isSame ? [] : [damage(path, 'its SHA-256 is not that of the manifest')]))
  }
  return joined(answers)
}

/** The folder of the project in the copy. */
export function projectFolder({ folder }: Pick<RestoredCopy, 'folder'>): string {
  return join(folder, 'files')
}
