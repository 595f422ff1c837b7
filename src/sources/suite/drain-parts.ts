import { readdirSync, readFileSync, readlinkSync } from 'node:fs'

import { collect } from '#base'
import type { Content, FolderPart, Part } from '#engine'
import { bytesOf, rawPathOf, type RawPath } from '../raw-path.ts'

/** What a snapshot of some parts would hold, by path (latin1): bytes of files, targets of links. */
export type Drained = Map<RawPath, Uint8Array>

/** Reads parts as the engine does, without one. @throws when two parts give the same path. */
export async function drainParts(parts: readonly Part[], signal?: AbortSignal): Promise<Drained> {
  const drained: Drained = new Map()
  for (const part of parts) {
    const at = rawPathOf(part.at)
    if (part.kind === 'content') put(drained, at, await bytesOfContent(part.content, signal))
    else if (part.kind === 'file') put(drained, at, readFileSync(Buffer.from(part.path)))
    else if (part.kind === 'folder') await drainFolder(part, drained, signal)
    else throw new Error('parts of another machine are read by the engine alone')
  }
  return drained
}

async function drainFolder(part: FolderPart, drained: Drained, signal?: AbortSignal): Promise<void> {
  const root = Buffer.from(part.path).toString('latin1')
  const waiting = ['']
  while (waiting.length > 0) {
    const folder = waiting.pop()!
    const entries = readdirSync(bytesOf(`${root}/${folder}`), { withFileTypes: true, encoding: 'latin1' })
    for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
      const path = folder === '' ? entry.name : `${folder}/${entry.name}`
      const kind = entry.isDirectory() ? 'dir' : entry.isSymbolicLink() ? 'symlink' : 'file'
      if (part.leaveOut?.(path, kind)) continue
      const at = `${rawPathOf(part.at)}/${path}`
      const replacement = part.replace?.get(path)
      if (kind === 'dir') waiting.push(path)
      else if (kind === 'symlink') put(drained, at, readlinkSync(bytesOf(`${root}/${path}`), 'buffer'))
      else if (replacement) put(drained, at, await bytesOfContent(replacement, signal))
      else put(drained, at, readFileSync(bytesOf(`${root}/${path}`)))
    }
  }
}

function put(drained: Drained, path: RawPath, bytes: Uint8Array): void {
  if (drained.has(path)) throw new Error(`two parts give ${path}`)
  drained.set(path, bytes)
}

async function bytesOfContent(content: Content, signal?: AbortSignal): Promise<Uint8Array> {
  return content.kind === 'bytes' ? content.bytes : collect(content.open(signal))
}
