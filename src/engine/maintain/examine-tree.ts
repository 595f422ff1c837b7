import { quoteName } from '../format/name.ts'
import { missingTime } from '../format/time.ts'
import { compareNames, type TreeNode } from '../format/tree-node.ts'
import type { Severity } from './finding.ts'

/** Something in a tree that is not as it must be. */
export interface TreeFault {
  readonly severity: Severity
  /** Quoted, as restic stores it; undefined when it is about the tree itself. */
  readonly name?: string
  readonly text: string
}

/** What is known of the data blobs that the files of a tree need. */
export interface KnownBlobs {
  /** The plain length in bytes; undefined for a blob that no index names. */
  plainLength(type: 'data', id: string): number | undefined
}

/** So many faults of one tree are told; a directory of a million files whose pack is gone is not a million findings. */
const mostFaults = 1000
const idShown = 10

/**
 * What is wrong with the nodes of one tree: names, order, files without their content, folders without their tree. Whether
 * the subtrees are there is not asked here.
 *
 * @param bytes - the plain tree blob.
 * @param lost - ids of data blobs that an index names and that cannot be read.
 */
export function examineTree(
  nodes: readonly TreeNode[],
  bytes: Uint8Array,
  blobs: KnownBlobs,
  lost: ReadonlySet<string>,
): TreeFault[] {
  const faults: TreeFault[] = []
  if (!isCanonical(bytes)) faults.push({ severity: 'notice', text: 'is not written in the canonical form' })
  faults.push(...examineOrder(nodes))
  let timeless = 0
  for (const node of nodes) {
    if (node.mtimeNs === missingTime) timeless++
    for (const { severity, text } of faultsOfNode(node, blobs, lost)) {
      faults.push({ severity, name: quoteName(node.name), text })
    }
    if (faults.length > mostFaults) {
      faults.push({ severity: 'damage', text: 'has more faults than are told here' })
      break
    }
  }
  if (timeless > 0)
    faults.push({
      severity: 'notice',
      text: `has ${timeless === 1 ? 'an entry' : `${timeless} entries`} without a time`,
    })
  return faults
}

/** Whether it looks like what restic writes; that every byte is so is not asked, because zones and builds differ. */
function isCanonical(bytes: Uint8Array): boolean {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  return text.subarray(0, 10).equals(Buffer.from('{"nodes":[')) && text.subarray(-3).equals(Buffer.from(']}\n'))
}

function examineOrder(nodes: readonly TreeNode[]): TreeFault[] {
  const isSorted = nodes.every((node, nth) => nth === 0 || compareNames(nodes[nth - 1]!.name, node.name) < 0)
  if (isSorted) return []
  const faults: TreeFault[] = []
  const sorted = nodes.map(({ name }) => name).sort(compareNames)
  for (const [nth, name] of sorted.entries()) {
    const isRepeated = nth > 0 && compareNames(sorted[nth - 1]!, name) === 0
    if (isRepeated && faults.length < mostFaults) {
      faults.push({
        severity: 'damage',
        name: quoteName(name),
        text: 'is there more than once, and only one can be restored',
      })
    }
  }
  const isInOrder = nodes.every((node, nth) => nth === 0 || compareNames(nodes[nth - 1]!.name, node.name) <= 0)
  if (!isInOrder) faults.push({ severity: 'warning', text: 'is not sorted by name' })
  return faults
}

type Fault = Pick<TreeFault, 'severity' | 'text'>

function* faultsOfNode(node: TreeNode, blobs: KnownBlobs, lost: ReadonlySet<string>): Generator<Fault, void, void> {
  const illegal = illegalName(node.name)
  if (illegal !== undefined) yield { severity: 'damage', text: illegal }
  if (node.type === 'file') yield* faultsOfFile(node, blobs, lost)
  if (node.type === 'dir' && node.subtree === undefined) {
    yield { severity: 'damage', text: 'is a folder of which nothing says what is in it' }
  }
  if (node.type === 'symlink' && node.linkTarget === undefined) {
    yield { severity: 'damage', text: 'is a link without a target' }
  }
}

const slash = 0x2f

function illegalName(name: Uint8Array): string | undefined {
  if (name.length === 0) return 'is an entry without a name, and cannot be restored'
  const isDots = name.length <= 2 && name.every((byte) => byte === 0x2e)
  if (isDots || name.includes(slash) || name.includes(0))
    return 'is no name that a file can have, and cannot be restored'
  return undefined
}

function* faultsOfFile(node: TreeNode, blobs: KnownBlobs, lost: ReadonlySet<string>): Generator<Fault, void, void> {
  if (node.content === undefined) {
    const severity = node.size === 0 ? 'warning' : 'damage'
    yield { severity, text: `is a file of ${node.size} bytes of which nothing says where they are` }
    return
  }
  let size = 0
  let missing = 0
  let first = ''
  for (const id of node.content) {
    const length = blobs.plainLength('data', id)
    size += length ?? 0
    if (length !== undefined && !lost.has(id)) continue
    missing++
    first ||= `data blob ${id.slice(0, idShown)}, ${length === undefined ? 'which no index names' : 'which cannot be read'}`
  }
  if (missing > 0) {
    yield { severity: 'damage', text: `needs ${first}${missing > 1 ? `, and ${missing - 1} more that are gone` : ''}` }
  } else if (size !== node.size) {
    yield { severity: 'damage', text: `says that it has ${node.size} bytes, and its content has ${size}` }
  }
}
