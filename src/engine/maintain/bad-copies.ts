import { describeFile } from '../backend/file-ref.ts'
import type { BlobIndex, BlobType } from '../repository/blob-index.ts'
import type { Findings } from './finding.ts'
import type { BlobFault } from './verify-pack.ts'

/** So many blobs of one pack are told one by one. */
const blobsTold = 5

/** Copies of blobs that cannot be read, and what that means: nothing, as long as another copy can. */
export class BadCopies {
  readonly #index: BlobIndex
  readonly #packs = new Map<string, 'missing' | 'unreadable'>()
  readonly #faults = new Map<string, BlobFault[]>()
  /** `<pack> <offset>`. */
  readonly #places = new Set<string>()

  constructor(index: BlobIndex) {
    this.#index = index
  }

  addPack(id: string, why: 'missing' | 'unreadable'): void {
    this.#packs.set(id, why)
  }

  addBlob(packId: string, fault: BlobFault): void {
    this.#places.add(`${packId} ${fault.blob.offset}`)
    const known = this.#faults.get(packId)
    if (known) known.push(fault)
    else this.#faults.set(packId, [fault])
  }

  /** Hex ids of the blobs that an index names and of which no copy can be read. */
  lost(type: BlobType): Set<string> {
    const lost = new Set<string>()
    if (this.#packs.size === 0 && this.#places.size === 0) return lost
    for (const entry of this.#index.entries()) {
      if (entry.type === type && this.#isBad(entry.place) && this.#isLost(type, entry.id)) lost.add(entry.id)
    }
    return lost
  }

  tell(findings: Findings): void {
    this.#tellMissing(findings)
    for (const [packId, faults] of this.#faults) {
      const subject = describeFile({ type: 'pack', name: packId })
      const told = faults.map(({ blob, text }) => {
        const isLost = this.#isLost(blob.type, blob.id)
        const where = `${blob.type} blob ${blob.id.slice(0, 10)} at byte ${blob.offset}`
        return { isLost, text: `${where}: ${text}${isLost ? '' : '; another copy of it is right'}` }
      })
      told.sort((a, b) => Number(b.isLost) - Number(a.isLost))
      for (const { isLost, text } of told.slice(0, blobsTold))
        findings.add(isLost ? 'damage' : 'warning', subject, text)
      const rest = told.slice(blobsTold)
      const severity = rest.some(({ isLost }) => isLost) ? 'damage' : 'warning'
      if (rest.length > 0) findings.add(severity, subject, `${rest.length} more blobs in it are bad`)
    }
  }

  #tellMissing(findings: Findings): void {
    const missing = new Map<string, { blobs: number; lost: number }>()
    for (const [id, why] of this.#packs) if (why === 'missing') missing.set(id, { blobs: 0, lost: 0 })
    if (missing.size === 0) return
    for (const { type, id, place } of this.#index.entries()) {
      const counts = missing.get(place.packId)
      if (!counts) continue
      counts.blobs++
      if (this.#isLost(type, id)) counts.lost++
    }
    for (const [id, { blobs, lost }] of missing) {
      const others = lost === 0 ? 'each of them has another copy' : `${lost} of them have no other copy`
      const text = `is not there; the index names ${blobs} blobs in it, and ${others}`
      findings.add(lost === 0 ? 'warning' : 'damage', describeFile({ type: 'pack', name: id }), text)
    }
  }

  #isLost(type: BlobType, id: string): boolean {
    return this.#index.find(type, id).every((copy) => this.#isBad(copy))
  }

  #isBad({ packId, offset }: { readonly packId: string; readonly offset: number }): boolean {
    return this.#packs.has(packId) || this.#places.has(`${packId} ${offset}`)
  }
}
