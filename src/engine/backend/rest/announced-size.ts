import { backendError } from '../errors.ts'
import { rangeWithin } from '../file-ref.ts'
import type { ByteRange, FileRef } from '../backend.ts'
import { nonsense, refusal, type Asked } from './answers.ts'
import type { Answer } from './transport.ts'

/**
 * How many bytes the answer to a load will bring, when it is what was asked for.
 *
 * @throws `backend.damaged` when the file ends before `range` does; what the status means; `backend.unavailable` when
 * the answer contradicts itself, or the question.
 */
export function announcedSize(asked: Asked, ref: FileRef, answer: Answer, range?: ByteRange): number {
  if (answer.status < 300 && (answer.header('content-encoding') ?? 'identity') !== 'identity') {
    throw nonsense(asked, 'it is compressed, which nobody asked for')
  }
  return range === undefined ? sizeOfWhole(asked, answer) : sizeOfPart(asked, ref, answer, range)
}

function sizeOfWhole(asked: Asked, answer: Answer): number {
  if (answer.status !== 200) throw refusal(asked, answer)
  const length = lengthIn(answer)
  if (length === undefined) throw nonsense(asked, 'it does not say how long the file is')
  return length
}

function sizeOfPart(asked: Asked, ref: FileRef, answer: Answer, range: ByteRange): number {
  const { status } = answer
  if (status === 416) {
    const reason = `it ends before byte ${range.start}, and the bytes up to ${range.end} were asked for`
    throw backendError('backend.damaged', { file: asked.file, place: asked.place, reason })
  }
  if (status === 200) throw nonsense(asked, 'it brings the whole file where a part was asked for')
  if (status !== 206) throw refusal(asked, answer)
  // because rclone says of a part that begins behind the end of a file that it ends before it begins
  const parts = /^bytes (\d+)-(-?\d+)\/(\d+|\*)$/.exec(answer.header('content-range') ?? '')
  if (parts === null) throw nonsense(asked, 'it does not say which part it brings')
  const [start, last, total] = [Number(parts[1]), Number(parts[2]), Number(parts[3])]
  if (!Number.isNaN(total)) rangeWithin(asked.place, ref, total, range)
  const size = range.end - range.start
  if (start !== range.start || last !== range.end - 1 || (lengthIn(answer) ?? size) !== size) {
    throw nonsense(asked, 'it brings another part than was asked for')
  }
  return size
}

/** What an answer says about the length of its bytes. */
export function lengthIn(answer: Answer): number | undefined {
  const text = answer.header('content-length')
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined
}
